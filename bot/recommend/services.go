package recommend

import (
	"slices"
	"strings"
)

// product is a word by which people name a product, as wordsOf writes it.
type product struct {
	shown    string   // as Microsoft writes it, for an outside search
	services []string // keys of the services that it may be about, likeliest first
}

// products are the words that name a product or, where people name that instead,
// what only one product has.
var products = func() map[string]product {
	out := map[string]product{}
	for _, line := range strings.Split(strings.TrimSpace(`
outlook|Outlook|exchange, outlook, 365 apps
exchange exo|Exchange Online|exchange
mail email inbox|mail|exchange, outlook
mailbox sharedmailbox|mailbox|exchange
webmail owa|Outlook on the web|exchange
calendar|calendar|exchange
teams|Microsoft Teams|teams
sharepoint spo intranet|SharePoint|sharepoint
onedrive odb odfb od4b|OneDrive|onedrive
admincenter|Microsoft 365 admin center|365 suite
word|Word|365 apps, 365 for the web
excel xlsx|Excel|365 apps, 365 for the web
powerpoint ppt pptx|PowerPoint|365 apps, 365 for the web
office|Office|365 apps, 365 for the web
onenote|OneNote|365 apps, 365 for the web
intune autopilot mdm|Intune|intune
companyportal|Company Portal|intune
bitlocker|BitLocker|intune
entra aad|Microsoft Entra|entra
authenticator mfa|Authenticator|entra
conditionalaccess|Conditional Access|entra
login|sign-in|entra
powerbi pbi|Power BI|power bi
flow|Power Automate|power automate
powerapps|Power Apps|power apps
copilot|Microsoft 365 Copilot|copilot
defender mde|Microsoft Defender|defender xdr
purview ediscovery|Microsoft Purview|purview
yammer|Viva Engage|viva engage
planner|Planner|planner
bookings|Microsoft Bookings|bookings
forms|Microsoft Forms|forms
stream|Microsoft Stream|stream
loop|Microsoft Loop|loop
todo|Microsoft To Do|to do
skype|Skype for Business|skype for business
dynamics|Dynamics 365|dynamics 365 apps
vpn|VPN|vpn
windows|Windows|windows 365, intune`), "\n") {
		f := strings.Split(line, "|")
		var services []string
		for _, s := range strings.Split(f[2], ",") {
			services = append(services, strings.TrimSpace(s))
		}
		for _, w := range strings.Fields(f[0]) {
			out[w] = product{shown: f[1], services: services}
		}
	}
	return out
}()

// sureness is how much a word says of the service: "outlook" names one, "mail"
// may be a Power Automate trigger.
var unsure = set("mail email inbox login calendar windows office mailbox mfa vpn")

// serviceKey is a service's name for comparing: without case, "Microsoft" and
// what Microsoft adds to one name in one list and not in another.
func serviceKey(name string) string {
	k := strings.Join(strings.Fields(strings.ToLower(name)), " ")
	k = strings.TrimPrefix(k, "microsoft ")
	for from, to := range sameService {
		if k == from {
			return to
		}
	}
	return k
}

var sameService = map[string]string{
	"exchange online": "exchange", "sharepoint online": "sharepoint", "onedrive for business": "onedrive", "onedriveforbusiness": "onedrive",
	"microsoftteams": "teams", "identity service": "entra", "azure active directory": "entra", "entra id": "entra", "azure ad": "entra",
	"office 365 suite": "365 suite", "office 365": "365 suite", "365": "365 suite", "365 apps for enterprise": "365 apps", "office online": "365 for the web",
	"office for the web": "365 for the web", "365 defender": "defender xdr", "copilot (microsoft 365)": "copilot", "365 copilot": "copilot",
	"copilot for microsoft 365": "copilot", "yammer enterprise": "viva engage", "yammer": "viva engage", "microsoft flow": "power automate", "flow": "power automate",
	"power automate in microsoft 365": "power automate", "power apps in microsoft 365": "power apps", "powerapps": "power apps", "dynamics 365": "dynamics 365 apps",
	"purview compliance": "purview",
}

// servicesOf are the services that words may be about, and whether one of the
// words names a product for sure.
func servicesOf(words []string) (services []string, sure bool) {
	for pass := range 2 { // sure words first
		for _, w := range words {
			p, ok := products[w]
			if !ok || unsure[w] != (pass == 1) {
				continue
			}
			sure = sure || pass == 0
			for _, s := range p.services {
				if !slices.Contains(services, s) {
					services = append(services, s)
				}
			}
		}
	}
	return services, sure
}

// namedBy counts the products that words name: those that mean the same
// services are one.
func namedBy(words []string) int {
	var seen []string
	for _, w := range words {
		if p, ok := products[w]; ok && !unsure[w] && !slices.Contains(seen, p.services[0]) {
			seen = append(seen, p.services[0])
		}
	}
	if len(seen) == 0 && slices.ContainsFunc(words, func(w string) bool { _, ok := products[w]; return ok }) {
		return 1
	}
	return len(seen)
}

// slips are how names that are too short to be told apart by one letter are
// mistyped.
var slips = pairs("teasm = teams; temas = teams; taems = teams; tems = teams; tams = teams; temes = teams; owal = owa; outlok = outlook; outloook = outlook; onderive = onedrive; intnue = intune")

// long are names that no other word is one slip of the finger away from.
var long = strings.Fields("outlook exchange sharepoint onedrive defender authenticator powerpoint")

// meant are the words of a question with the names of products as they were
// meant: a mistyped one names nothing.
func meant(words []string) []string {
	for i, w := range words {
		if _, ok := products[w]; ok {
			continue
		}
		if to, ok := slips[w]; ok {
			words[i] = to
			continue
		}
		for _, name := range long {
			if len(w) >= 5 && oneOff(name, w) && w != "exchanged" && w != "exchanges" {
				words[i] = name
			}
		}
	}
	return words
}

// Products is how many products the question names: each by whatever word.
func (q Query) Products() int { return q.products }

// Names reports whether a word names a product.
func Names(word string) bool {
	w := meant(wordsOf(word))
	if len(w) != 1 {
		return false
	}
	_, ok := products[w[0]]
	return ok || brand[w[0]]
}

// brand are the words that stand beside the names of products.
var brand = set("microsoft online 365 m365 business power share one drive point bi automate apps ms azure ad id")
