package graph

import "keyturn/bot"

// declined is the number of a consent that its person did not give.
const declined = 65004

// numbers explains AADSTS numbers, after Microsoft's page "Microsoft Entra
// authentication and authorization error codes".
var numbers = map[int]bot.Failure{
	7000215: {Kind: bot.KindSignIn, Says: "The client secret is wrong.",
		Fix: "The secret's Value is needed, not its Secret ID; a secret made moments ago can take a minute to work."},
	7000222: {Kind: bot.KindSignIn, Says: "The client secret has expired.", Fix: "An Entra admin has to approve a new one."},
	7000218: {Kind: bot.KindSignIn, Says: "The application signed in without a secret or certificate.", Fix: "Check that the secret was saved where it is used."},
	700016: {Kind: bot.KindSignIn, Says: "This application is not known in the tenant.",
		Fix: "Check the client ID and the tenant; if it was made moments ago, try again in a minute."},
	7000112:  {Kind: bot.KindSignIn, Says: "The application is disabled.", Fix: "An Entra admin can enable it."},
	70001:    {Kind: bot.KindSignIn, Says: "The application is disabled or not in this tenant.", Fix: "An Entra admin can enable it."},
	700011:   {Kind: bot.KindSignIn, Says: "The application is not in this tenant.", Fix: "Check the client ID and the tenant."},
	700027:   {Kind: bot.KindSignIn, Says: "The signature of the application's certificate was not accepted.", Fix: "An Entra admin has to upload the certificate that Keyturn shows; a new one can take a minute to work."},
	700024:   {Kind: bot.KindSignIn, Says: "The signed proof was too old or not valid yet.", Fix: "Check the clock of Keyturn's server."},
	65001:    {Kind: bot.KindForbidden, Says: "Nobody has consented to this application yet.", Fix: askConsent},
	declined: {Kind: bot.KindForbidden, Says: "The consent was declined.", Fix: askConsent},
	65005:    {Kind: bot.KindForbidden, Says: "The application asks for permissions that are not listed on it or not consented to.", Fix: askConsent},
	650056:   {Kind: bot.KindForbidden, Says: "The application lists no permissions, or nobody consented to them.", Fix: askConsent},
	90094:    {Kind: bot.KindForbidden, Says: "An admin has to consent to this application.", Fix: askConsent},
	90095:    {Kind: bot.KindForbidden, Says: "An admin's consent has been asked for and is still open.", Fix: askConsent},
	500011:   {Kind: bot.KindBadRequest, Says: "The resource that was asked for is not known in this tenant.", Fix: "Check the resource or scope of the OAuth profile."},
	50001:    {Kind: bot.KindBadRequest, Says: "The resource that was asked for is not known in this tenant.", Fix: "Check the resource or scope of the OAuth profile."},
	50011:    {Kind: bot.KindBadRequest, Says: "The redirect address is not registered for this application.", Fix: "An Entra admin has to add it under Authentication, platform Web."},
	90002:    {Kind: bot.KindNotFound, Says: "Microsoft does not know this tenant.", Fix: "Check the tenant name in the token URL."},
	900023:   {Kind: bot.KindNotFound, Says: "The tenant in the token URL is neither a tenant ID nor a domain.", Fix: "Check the tenant name in the token URL."},
	900144:   {Kind: bot.KindBadRequest, Says: "A value is missing in the token request, such as the resource or the grant type.", Fix: "Check the grant type and scope of the OAuth profile."},
	9002313:  {Kind: bot.KindBadRequest, Says: "The token request is not well formed.", Fix: "Check the token URL and the grant type of the OAuth profile."},
	70011:    {Kind: bot.KindBadRequest, Says: "The scope that was asked for is not valid.", Fix: "Check the scope of the OAuth profile."},
	70003:    {Kind: bot.KindBadRequest, Says: "The grant type is not supported here.", Fix: "The OAuth profile needs the grant type Client Credentials."},
	53000:    {Kind: bot.KindPolicy, Says: "Conditional Access wants a device that the organisation manages.", Fix: "Sign in from such a device, or ask the Entra admin."},
	53003:    {Kind: bot.KindPolicy, Says: "Conditional Access blocks this sign-in.", Fix: "The Entra admin can see the policy in the sign-in log and make an exception."},
	530032:   {Kind: bot.KindPolicy, Says: "A security policy of the organisation blocks this sign-in.", Fix: "The Entra admin can see the policy in the sign-in log."},
	50105:    {Kind: bot.KindForbidden, Says: "This account is not assigned to the application.", Fix: "An Entra admin can assign it, or lift the requirement."},
	50076:    {Kind: bot.KindSignIn, Says: "Microsoft asks for a second factor.", Fix: "Sign in again and complete it."},
	50079:    {Kind: bot.KindSignIn, Says: "Microsoft asks this account to set up a second factor.", Fix: "Sign in again and complete it."},
	50020:    {Kind: bot.KindSignIn, Says: "This account is of another organisation, and only accounts of this one can be used here.", Fix: "Sign in with the account that your card names."},
	90072:    {Kind: bot.KindSignIn, Says: "This account is of another organisation, and only accounts of this one can be used here.", Fix: "Sign in with the account that your card names."},
	50034:    {Kind: bot.KindSignIn, Says: "Microsoft does not know this account in this organisation.", Fix: "Sign in with the account that your card names."},
	50057:    {Kind: bot.KindSignIn, Says: "The account is disabled.", Fix: askEntra},
	50173:    {Kind: bot.KindSignIn, Says: "The sign-in was revoked, for example by a new password.", Fix: "Sign in again."},
	700082:   {Kind: bot.KindSignIn, Says: "The sign-in expired because it was not used.", Fix: "Sign in again."},
	70008:    {Kind: bot.KindSignIn, Says: "The sign-in expired.", Fix: "Sign in again."},
	70016:    {Kind: bot.KindSignIn, Says: "The sign-in is not finished yet.", Fix: "Finish it in the browser."},
	70019:    {Kind: bot.KindSignIn, Says: "The sign-in code has expired.", Fix: "Start the sign-in again."},
	90055:    {Kind: bot.KindThrottled, Says: "The tenant makes more sign-ins than Microsoft allows at a time.", Fix: "It is tried again by itself."},
	90033:    {Kind: bot.KindUnreachable, Says: "Microsoft sign-in is not available at the moment.", Fix: "It is tried again by itself."},
}
