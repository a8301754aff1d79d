package bot

import "time"

// Mode says as whom the calls to a system are made.
type Mode string

// The modes.
const (
	// Delegated makes every call as the person who approved it, with the token
	// of their own sign-in.
	Delegated Mode = "delegated"
	// AsApp makes calls with an application's credential: in simulators, or
	// where the organisation chose to give Keyturn a standing one.
	AsApp Mode = "app"
	// NoCalls changes nothing: the guide, the script and the check are left.
	NoCalls Mode = "none"
)

// Mode is as whom the tenant's calls to a system are made.
func (t *Tenant) Mode(s System) Mode {
	if m, ok := t.Modes[s]; ok {
		return m
	}
	return AsApp
}

// SignsIn reports whether a call is made with the token of a person's sign-in.
func (t *Tenant) SignsIn(c Call) bool {
	return c.As == "" && (c.System == Graph || c.System == ServiceNow) && t.Mode(c.System) == Delegated
}

// SignInRequest is what a system's sign-in page is asked for (RFC 6749, 4.1.1,
// with PKCE).
type SignInRequest struct {
	State, Nonce, Challenge string
	Account                 string // whom to suggest
	Claims                  string // what the token has to carry, where a call was refused for it
}

// SignInCode is what redeems a sign-in.
type SignInCode struct {
	Code, Verifier Secret
	Nonce          string
	Claims         string // as they were asked for in the request
}

// SignedIn is who signed in at a system, and their token.
type SignedIn struct {
	Token   Secret
	Until   time.Time
	Account string // the user principal name, or the user name
	Object  string // the account's ID in the system: it is never given to another
	// Roles are the directory roles in the token, by template ID; Known says
	// whether the token tells.
	Roles []string
	Known bool
}

// SignInReturn is what a system's sign-in page sent a browser back with.
type SignInReturn struct {
	System                     System
	Tenant                     TenantID // by the address, where that names one
	State                      string
	Code                       Secret
	Error, Description, Issuer string
	Browser                    string // the browser's own secret
}

// SignInPage is what Keyturn's own page says about a sign-in.
type SignInPage struct {
	Stage SignInStage
	ID    string // names the sign-in to the browser that began it; no secret
	For   TenantID

	Person    string // who signs in
	Requester string // who asked for the run
	Tenant    string
	Run       string
	Steps     []string
	Change    string // change number
	System    string // "Microsoft Entra", "ServiceNow"
	Host      string // where the browser goes next, exactly
	Origin    string // the same with its scheme
	Account   string // the account to sign in with
	Numbers   []string
	Until     time.Time
	Says, Fix string // how it ended
	Reveal    *RevealPage
}

// SignInStage is how far a sign-in is.
type SignInStage string

// The stages of a sign-in.
const (
	SignInOffered  SignInStage = "offered"  // its page was not confirmed yet
	SignInBegun    SignInStage = "begun"    // the browser is at the system's page
	SignInReturned SignInStage = "returned" // it came back; the code is being redeemed
	SignInDone     SignInStage = "done"
	SignInFailed   SignInStage = "failed"
	SignInUnlinked SignInStage = "unlinked" // somebody signed in with an account that is not known as theirs
	SignInGone     SignInStage = "gone"     // used, too old, or never there
)

// RevealPage is a secret that may be shown once, to whom it is offered.
type RevealPage struct {
	What, Why string
	Until     time.Time
}
