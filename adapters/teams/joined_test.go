package teams

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// Teams says it in two activities at once, and neither waits for the other.
func TestOneInstallationIsOneWelcomeWhenItsActivitiesComeAtOnce(t *testing.T) {
	w := newWorld(t)
	header := w.good()
	var all sync.WaitGroup
	for n := range 20 {
		body, err := json.Marshal(w.personal(fields{"type": "installationUpdate", "action": "add", "id": fmt.Sprint("f:", n)}))
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if rec := w.post(header, body); rec.Code != http.StatusOK {
				t.Errorf("got HTTP %d", rec.Code)
			}
		})
	}
	all.Wait()
	if n := len(w.desk.taken); n != 1 {
		t.Errorf("the desk heard %d times of one installation", n)
	}
}

func TestAnInstallationThatWasNotHeardIsHeardTheSecondTime(t *testing.T) {
	w := newWorld(t)
	w.desk.err = errors.New("the disk is full")
	w.deliver(w.personal(fields{"type": "installationUpdate", "action": "add", "id": "f:1"}))
	w.desk.err = nil
	w.deliver(w.personal(fields{"type": "conversationUpdate", "membersAdded": added("28:" + appID), "id": "f:2"}))
	if n := w.desk.decided; n != 1 {
		t.Errorf("the desk decided %d times about the installation", n)
	}
}

func TestAnInstallationAfterARemovalIsNewsAtOnce(t *testing.T) {
	w := newWorld(t)
	for n, action := range []string{"add", "remove", "add"} {
		w.deliver(w.personal(fields{"type": "installationUpdate", "action": action, "id": fmt.Sprint("f:", n)}))
	}
	if n := w.desk.decided; n != 3 {
		t.Errorf("of added, removed and added again the desk heard %d", n)
	}
}
