package play

import (
	"slices"
	"strings"

	"keyturn/sim/microsoft"
	"keyturn/sim/servicenow"
	"keyturn/sim/slack"
	"keyturn/sim/teams"
)

func slackWorld(file, bot, url string, o Options) slack.Config {
	c := slack.Config{TeamID: Team, TeamName: "Contoso", BotToken: SlackToken, SigningSecret: SlackSigning, BotURL: bot, URL: url, File: file, Limits: o.Limit, Now: o.Now,
		Scopes: append(slack.DefaultScopes(), "im:write", "chat:write.public", "files:write", "channels:history", "groups:history")}
	if o.Socket {
		c.AppToken = SlackAppToken
	}
	if o.Slow {
		c.AckTimeout = patience
	}
	if o.Asked {
		c.Scopes = slices.DeleteFunc(c.Scopes, func(s string) bool { return s == "chat:write.public" })
	}
	if o.Unread {
		c.Scopes = slices.DeleteFunc(c.Scopes, func(s string) bool { return s == "channels:history" || s == "groups:history" })
	}
	var all []string
	for _, p := range Everybody() {
		c.Users = append(c.Users, slack.User{ID: p.Slack, Name: handle(p), RealName: p.Name, Email: p.UPN, Title: p.Title, TZ: "Europe/Berlin"})
		all = append(all, p.Slack)
	}
	for _, u := range o.Also {
		c.Users = append(c.Users, u)
		all = append(all, u.ID)
	}
	all = append(all, "U0KEYTURN")
	c.Channels = []slack.Channel{
		{ID: Ops, Name: opsName, Kind: slack.Public, Members: all, Topic: "IT operations"},
		{ID: Incidents, Name: incidentsName, Kind: slack.Public, Members: all, Topic: "Microsoft 365 service health"},
	}
	c.Groups = []slack.Group{
		{ID: "S0ENTRA", Handle: "entra-admins", Name: "Entra admins", Users: []string{Erin.Slack, Emil.Slack}},
		{ID: "S0SERVICENOW", Handle: "servicenow-admins", Name: "ServiceNow admins", Users: []string{Sam.Slack}},
	}
	return c
}

func teamsWorld(file, bot, url string, o Options) teams.Config {
	c := teams.Config{TenantID: Directory, TenantName: "Contoso", BotAppID: TeamsApp, BotName: "Keyturn", BotSecret: TeamsSecret, BotURL: bot, URL: url, File: file, Limits: o.Limit, Now: o.Now}
	if o.Slow {
		c.AckTimeout = patience
	}
	for _, p := range Everybody() {
		c.Users = append(c.Users, teams.User{ID: p.Entra, Name: p.Name, UPN: p.UPN, TZ: "Europe/Berlin"})
	}
	c.Users = append(c.Users, o.Guest...)
	c.Teams = []teams.Team{{ID: TeamsTeam, Name: "IT Operations",
		Channels: []teams.Channel{{ID: TeamsOps, Name: opsName}, {ID: TeamsIncidents, Name: incidentsName}}}}
	return c
}

func handle(p Person) string {
	for i, r := range p.Name {
		if r == ' ' {
			return string(p.Name[0]+'a'-'A') + p.Name[1:i]
		}
	}
	return p.Name
}

func microsoftWorld(file, url string, o Options) microsoft.Config {
	c := microsoft.Config{TenantID: Directory, Domain: Domain, Name: "Contoso", BaseURL: url, File: file, Lag: o.Lag, Now: o.Now}
	if o.SignIn {
		c.Users, c.Apps = adminAccounts(), delegatedApps(o)
		return c
	}
	for _, p := range Everybody() {
		c.Users = append(c.Users, microsoft.User{ID: p.Entra, Name: p.Name, UPN: p.UPN, Mail: p.UPN, Active: p.Active, Eligible: p.PIM})
	}
	c.Apps = []microsoft.App{
		{AppID: GraphClient, Name: "Keyturn (calls in simulators)", Secrets: []microsoft.Secret{{Name: "simulator", Value: GraphSecret}},
			Roles: []string{"Application.ReadWrite.All", "Application.Read.All", "Policy.Read.All", "RoleManagement.Read.Directory", "Directory.Read.All", "User.Read.All", "ServiceHealth.Read.All"}},
		{AppID: SignInClient, Name: "Keyturn sign-in", RedirectURIs: []string{SignInRedirect}, Certificates: [][]byte{oneKey().der},
			Scopes: SignInScopes()},
		{AppID: ReaderClient, Name: "Service health reader of the operations team", Secrets: []microsoft.Secret{{Name: "reader", Value: ReaderSecret}},
			Roles: []string{"ServiceHealth.Read.All", "ServiceMessage.Read.All"}},
	}
	return c
}

// NowAccount is the person's account in a ServiceNow where everybody has one.
func (p Person) NowAccount() string {
	return strings.ToLower(strings.ReplaceAll(p.Name, " ", "."))
}

// articles are what the organisation itself wrote down about what people ask
// most: for everybody, and for the service desk alone.
var articles = []servicenow.Article{
	{Base: "IT help", Title: "OneDrive stays at sync pending in our offices", Text: "<p>Our proxy stops files above 2 GB, and they stay at sync pending. Pause sync, move large files to the team's own server, then resume.</p>"},
	{Base: "IT help", Title: "Outlook keeps asking for the password after it was changed", Text: "<p>Close Outlook, lock the screen and unlock it with the new password, then start Outlook again. If it goes on, call 4711.</p>"},
	{Base: "Service desk", Readers: "itil", Title: "Teams calls drop in building C", Text: "<p>Known until the access points are replaced in May. Offer a desk with a cable.</p>"},
}

func serviceNowWorld(file, microsoftURL string, o Options) servicenow.Config {
	c := servicenow.Config{Host: Instance, World: servicenow.Alive1, File: file, Now: o.Now, TypeChoice: o.Type,
		Outbound: map[string]string{"login.microsoftonline.com": microsoftURL + "/login", "connector.rave.microsoft.com": microsoftURL + "/connector"},
		Groups:   map[string][]string{"Service Desk": {"itil"}},
		Clients: []servicenow.Client{
			{Name: "Keyturn (calls in simulators)", ID: ServiceNowClient, Secret: ServiceNowSecret, Grant: "client_credentials", User: "keyturn.simulator"},
			{Name: "Keyturn sign-in", ID: SignInNowClient, Secret: SignInNowSecret, Grant: "authorization_code", Redirect: "https://keyturn.contoso.example/signin/servicenow"},
		},
		ClientCredentials: true,
		Users:             []servicenow.User{{Name: "keyturn.simulator", Full: "Keyturn in simulators", Roles: []string{"admin", "oauth_admin", "itil"}, WebServiceOnly: true}},
	}
	if o.SignIn {
		c.Clients, c.Users = delegatedClients(o), nil
	}
	if o.Knowledge {
		c.Articles = articles
	}
	for _, p := range Everybody() {
		if o.Knowledge {
			p.Now = p.NowAccount()
		}
		if p.Now != "" {
			u := servicenow.User{Name: p.Now, Full: p.Name, Email: p.UPN, Roles: p.SNRole}
			if p.Name == Max.Name {
				u.Groups = []string{"Service Desk"}
			}
			c.Users = append(c.Users, u)
		}
	}
	return c
}
