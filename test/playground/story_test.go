package playground

import (
	"net/http"
	"testing"

	"keyturn/sim/play"
)

func TestPeopleUseKeyturnInMicrosoftsClient(t *testing.T) {
	o := startOffice(t, play.Rita, play.Priya)

	o.goes(play.Rita, "Personal Chat")
	o.writes(play.Rita, "help")
	o.sees(play.Rita, "setup direct", "subscribe")
	o.looks(play.Rita, "help")
	o.refusesWhatIsNotSigned()

	o.goes(play.Priya, "Personal Chat")
	o.goes(play.Rita, "incidents")
	o.posts(play.Rita, "setup direct")
	o.sees(play.Rita, "this needs a few values", "Open: Set up: direct")
	o.looks(play.Rita, "asked")
	o.clicks(play.Rita, "Open: Set up: direct")
	o.sees(play.Rita, "Channel for incidents")
	o.looks(play.Rita, "form")
	o.clicks(play.Rita, "Start")
	o.sees(play.Rita, "done · waiting for Rita Okafor")
	o.looks(play.Rita, "checklist")
}

func (o *office) refusesWhatIsNotSigned() {
	o.Helper()
	resp, err := o.relay.toBot(o.relay.firstTaken(), "")
	if err != nil {
		o.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		o.Errorf("the bot answered HTTP %d to a Playground's request that nobody signed, not 403", resp.StatusCode)
	}
}
