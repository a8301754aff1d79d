package recommend

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// drops is what Microsoft says; users say it otherwise.
var drops = Doc{ID: "TM1", Kind: Incident, Service: []string{"Microsoft Teams"}, Feature: "Calling", Active: true, Changed: noon,
	Title: "Users may experience disconnections of PSTN calls", Text: "Calls end about thirty seconds after they are answered."}

func ids(hits []Hit) []string {
	var out []string
	for _, h := range hits {
		out = append(out, h.Doc.ID)
	}
	return out
}

func TestAHitSaysWhyInTheAskersWords(t *testing.T) {
	got := Rank(Parse("Teams calls drop all the time"), []Doc{drops}, noon, 3)
	if len(got) != 1 {
		t.Fatalf("hits: %v", ids(got))
	}
	if why := got[0].Why(); why != "it is about Microsoft Teams and it speaks of “calls” and “drop”" {
		t.Errorf("why: %s", why)
	}
	coded := Doc{ID: "A", Kind: Article, Service: []string{"Microsoft Entra"}, Title: "AADSTS53003: blocked by Conditional Access", Text: "Read the log."}
	got = Rank(Parse("what is aadsts53003?"), []Doc{drops, coded}, noon, 3)
	if len(got) != 1 || got[0].Why() != "it names AADSTS53003" {
		t.Errorf("by code: %v, %q", ids(got), got[0].Why())
	}
}

func TestWhatOnlySharesThatSomethingIsWrongIsNoHit(t *testing.T) {
	for _, said := range []string{"it does not work", "error", "nothing works for my users", "the coffee is cold", "", "???", "Teams", "users see an issue"} {
		if got := Rank(Parse(said), []Doc{drops}, noon, 3); len(got) != 0 {
			t.Errorf("%q found %v: %s", said, ids(got), got[0].Why())
		}
	}
}

// A reason names what tells this text apart from others.
func TestAWordThatSaysNothingIsNoReason(t *testing.T) {
	lost := Doc{ID: "SP1", Kind: Incident, Service: []string{"SharePoint Online"}, Active: true, Changed: noon,
		Title: "Users see nothing in document libraries", Text: "Libraries stay empty and show nothing until people come again and use another browser."}
	for _, said := range []string{"nothing helps at all", "people come and use another", "everybody keeps asking again and again", "nothing stays"} {
		for _, h := range Rank(Parse(said), []Doc{lost, drops}, noon, 3) {
			t.Errorf("%q found %s, because %s", said, h.Doc.ID, h.Why())
		}
	}
	got := Rank(Parse("nothing stays in my document library, it is empty again"), []Doc{lost, drops}, noon, 3)
	if len(got) != 1 || got[0].Why() != "it speaks of “document”, “library” and “empty”" {
		t.Errorf("%v, because %q", ids(got), got[0].Why())
	}
}

// What most texts speak of is no reason for one of them.
func TestAWordOfMostTextsIsNoReason(t *testing.T) {
	var docs []Doc
	for i := range 40 {
		docs = append(docs, Doc{ID: fmt.Sprintf("T%02d", i), Kind: Knowledge, Title: fmt.Sprintf("Laptops of floor%d", i), Text: "Restart the laptop."})
	}
	docs = append(docs, Doc{ID: "ONE", Kind: Knowledge, Title: "Laptops and the docking station", Text: "Restart the laptop."})
	got := Rank(Parse("laptop at the docking station"), docs, noon, 3)
	if len(got) != 1 || got[0].Doc.ID != "ONE" || strings.Contains(got[0].Why(), "laptop") {
		t.Errorf("%v", got)
	}
}

// Each text that has a number has the button that says it helped.
func TestEveryNumberedTextHasItsButton(t *testing.T) {
	hit := func(id string, k Kind) Hit { return Hit{Doc: Doc{ID: id, Kind: k, Title: id}, Words: []string{"x"}} }
	a := Answer{Said: "x", Learn: Told, Asks: Told, As: "rita",
		Hits:     []Hit{hit("EX1", Incident), hit("EX2", Incident)},
		Articles: []Hit{hit("A1", Article), hit("A2", Article), hit("A3", Article)},
		Ours:     []Hit{hit("KB1", Knowledge), hit("KB2", Knowledge), hit("INC1", Past)}}
	says := a.Message("/keyturn", false).Words()
	var helped []string
	for _, b := range a.Buttons("q1", true).Items {
		if n, ok := strings.CutSuffix(b.Label, " helped"); ok && n != "None" {
			helped = append(helped, n)
			if b.Value != "q1/"+n || !strings.Contains(says, "\n"+n+". ") && !strings.HasPrefix(says, n+". ") {
				t.Errorf("[%s] is about %s, and no such number is in:\n%s", b.Label, b.Value, says)
			}
		}
	}
	if !slices.Equal(helped, []string{"1", "2", "3", "4", "5", "6", "7", "8"}) {
		t.Errorf("the buttons are about %v of:\n%s", helped, says)
	}
}

func TestANicknameAndASlipNameAProduct(t *testing.T) {
	for said, want := range map[string]string{"owa": "exchange", "EXO": "exchange", "spo": "sharepoint", "odb": "onedrive", "mfa": "entra", "outlok": "exchange", "exchnage": "exchange", "shareponit": "sharepoint", "teasm": "teams", "pbi": "power bi"} {
		if q := Parse(said); len(q.Services) == 0 || q.Services[0] != want || q.Products() != 1 || !Names(said) {
			t.Errorf("%q names %v", said, q.Services)
		}
	}
	for _, said := range []string{"exchanged", "steam", "team", "ok", "extra", "planned", "look out"} {
		if Names(said) {
			t.Errorf("%q was taken for a product", said)
		}
	}
	if n := Parse("exchange and sharepoint").Products(); n != 2 {
		t.Errorf("%d products", n)
	}
}

func TestASlipOfTheFingerIsUnderstood(t *testing.T) {
	for _, said := range []string{"tems calls disconect", "pstn cals disconnectoins", "disconectoin of PSTN calls"} {
		if got := Rank(Parse(said), []Doc{drops}, noon, 3); len(got) != 1 {
			t.Errorf("%q found nothing", said)
		}
	}
	for _, c := range []struct {
		a, b string
		is   bool
	}{{"calendar", "calender", true}, {"calendar", "calndar", true}, {"calendar", "caelndar", true}, {"calendar", "calendaar", true}, {"calendar", "calendar", false}, {"abc", "xyz", false}, {"abcd", "ab", false}} {
		if oneOff(c.a, c.b) != c.is {
			t.Errorf("%q and %q: %v", c.a, c.b, !c.is)
		}
	}
}

func TestWhatGoesOnComesBeforeWhatIsOver(t *testing.T) {
	over := drops
	over.ID, over.Active, over.Changed = "TM0", false, noon.Add(-20*24*time.Hour)
	lately := over
	lately.ID, lately.Changed = "TM2", noon.Add(-24*time.Hour)
	if got := ids(Rank(Parse("teams calls drop"), []Doc{over, lately, drops}, noon, 3)); !slices.Equal(got, []string{"TM1", "TM2", "TM0"}) {
		t.Errorf("order: %v", got)
	}
}

func TestTheServiceThatWasNamedComesFirst(t *testing.T) {
	other := drops
	other.ID, other.Service = "SK1", []string{"Skype for Business"}
	if got := ids(Rank(Parse("calls disconnect in teams"), []Doc{other, drops}, noon, 3)); len(got) == 0 || got[0] != "TM1" {
		t.Errorf("order: %v", got)
	}
}

func TestWhatHelpedOthersComesFirstAndNothingIsHidden(t *testing.T) {
	helped, not := drops, drops
	helped.ID, helped.Helped = "TM9", 4
	not.ID, not.Failed = "TM0", 9
	if got := ids(Rank(Parse("teams calls drop"), []Doc{not, drops, helped}, noon, 3)); !slices.Equal(got, []string{"TM9", "TM1", "TM0"}) {
		t.Errorf("order: %v", got)
	}
}

func TestOnlyProductWordsAndCodesLeave(t *testing.T) {
	for said, want := range map[string]string{
		"outlook search is slow for Anna Schmidt":                                   "Outlook search slow",
		"Teams shows caa20004 to max.muster@contoso.com on PC-4711":                 "Microsoft Teams caa20004",
		"mail to https://outlook.contoso.com/x?user=anna bounces with 550 5.7.750":  "mail 5.7.750",
		"AADSTS53003 for 3f2c1a9e-0b1d-4c6e-9a77-0123456789ab at 10.1.2.3":          "aadsts53003",
		"password of Peter Parker is hunter2":                                       "password",
		"INC0012345: OneDrive sync error 0x8004FC12 \\\\fileserver\\hr\\salary.xls": "OneDrive sync 0x8004fc12",
		"teams.contoso.com is down":                                                 "",
		"call me at +49 170 4045031":                                                "call",
		"@outlook #sharepoint <@U123> hello":                                        "",
		"Müller says Excel öffnet nicht, HTTP 503":                                  "Excel 503",
		"serial 0x8004FC1234567890":                                                 "",
		"the key is AADSTS12345678901234567890":                                     "",
	} {
		if got := Parse(said).Public(); got != want {
			t.Errorf("%q lets out %q, want %q", said, got, want)
		}
	}
}

// allowed are the words that may leave, from the same lists.
func allowed() map[string]bool {
	out := map[string]bool{}
	for _, p := range products {
		for _, w := range strings.Fields(p.shown) {
			out[w] = true
		}
	}
	for _, s := range spoken {
		for _, w := range strings.Fields(s) {
			out[w] = true
		}
	}
	return out
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"outlook keeps asking for my password", "AADSTS90033", "5.7.750 0x80180014 caa20004 HTTP 503", "a\x00b\xff", "\xc1 0000", "’‘`'''", "\\\\host\\share @x #y <@U1>", strings.Repeat("log ", 300)} {
		f.Add(s)
	}
	words := allowed()
	x := NewIndex([]Doc{drops})
	f.Fuzz(func(t *testing.T, said string) {
		q := Parse(said)
		if n := len([]rune(q.Said)); n > MaxQuery {
			t.Errorf("%d characters were kept", n)
		}
		for _, w := range strings.Fields(q.Public()) {
			code := codeShape.FindString(w) == w || len(codesOf(" "+w+" ")) == 1
			if !words[w] && !code {
				t.Errorf("%q lets out %q", said, w)
			}
		}
		if again := Parse(q.Said); again.Said != q.Said || again.Public() != q.Public() {
			t.Errorf("%q is understood twice in two ways: %q, %q", said, q.Public(), again.Public())
		}
		for _, h := range x.Rank(q, noon, 3) {
			if h.Why() == "" {
				t.Errorf("%q found %s without a reason", said, h.Doc.ID)
			}
		}
	})
}
