package teams

// Cloud is one of Microsoft's clouds: where its sign-in, its token keys and its
// Bot Connector are. Source: Microsoft, "Authenticate requests with the Bot
// Connector API" and the cloud environments of the Teams SDK.
type Cloud struct {
	LoginURL  string   // sign-in service
	Scope     string   // what the bot's token is asked for
	OpenIDURL string   // metadata of the keys that sign Microsoft's requests
	Issuer    string   // who signs them
	Service   string   // Bot Connector to use before a conversation named its own
	Hosts     []string // Bot Connector's hosts; a leading dot takes in those below
}

// gccService is where conversations of the US Government Community Cloud live.
const gccService = "https://smba.infra.gcc.teams.microsoft.com/gcc"

var publicHosts = []string{"smba.trafficmanager.net", "smba.infra.gcc.teams.microsoft.com", ".botframework.com"}

// The clouds. Public also serves GCC, whose conversations name their own host.
var (
	Public = Cloud{
		LoginURL: "https://login.microsoftonline.com", Scope: "https://api.botframework.com/.default",
		OpenIDURL: "https://login.botframework.com/v1/.well-known/openidconfiguration", Issuer: "https://api.botframework.com",
		Service: "https://smba.trafficmanager.net/teams", Hosts: publicHosts,
	}
	GCC = Cloud{
		LoginURL: Public.LoginURL, Scope: Public.Scope, OpenIDURL: Public.OpenIDURL, Issuer: Public.Issuer,
		Service: gccService, Hosts: publicHosts,
	}
	GCCHigh = Cloud{
		LoginURL: "https://login.microsoftonline.us", Scope: "https://api.botframework.us/.default",
		OpenIDURL: "https://login.botframework.azure.us/v1/.well-known/openidconfiguration", Issuer: "https://api.botframework.us",
		Service: "https://smba.infra.gov.teams.microsoft.us/gcch", Hosts: []string{"smba.infra.gov.teams.microsoft.us", ".botframework.us", ".botframework.azure.us"},
	}
	// DoD and China name their Bot Connector per tenant: configure its host.
	DoD = Cloud{
		LoginURL: GCCHigh.LoginURL, Scope: GCCHigh.Scope, OpenIDURL: GCCHigh.OpenIDURL, Issuer: GCCHigh.Issuer,
		Hosts: []string{".botframework.us", ".botframework.azure.us"},
	}
	China = Cloud{
		LoginURL: "https://login.partner.microsoftonline.cn", Scope: "https://api.botframework.azure.cn/.default",
		OpenIDURL: "https://login.botframework.azure.cn/v1/.well-known/openidconfiguration", Issuer: "https://api.botframework.azure.cn",
		Hosts: []string{".botframework.azure.cn"},
	}
)

// with fills what is not set from another cloud.
func (c Cloud) with(o Cloud) Cloud {
	c.LoginURL = first(c.LoginURL, o.LoginURL)
	c.Scope = first(c.Scope, o.Scope)
	c.OpenIDURL = first(c.OpenIDURL, o.OpenIDURL)
	c.Issuer = first(c.Issuer, o.Issuer)
	c.Service = first(c.Service, o.Service)
	if len(c.Hosts) == 0 {
		c.Hosts = o.Hosts
	}
	return c
}
