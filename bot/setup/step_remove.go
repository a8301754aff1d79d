package setup

import (
	"encoding/json"
	"fmt"
	"strings"

	"keyturn/bot"
)

// readRows reads rows of one kind by their sys_ids, fifty a call.
func readRows(id string, list []found, fields string) []bot.Call {
	byKind := map[string][]string{}
	for _, f := range list {
		byKind[f.Kind] = append(byKind[f.Kind], f.ID)
	}
	var calls []bot.Call
	for _, kind := range sorted(byKind) {
		ids := byKind[kind]
		for n := 0; len(ids) > 0; n++ {
			some := ids[:min(50, len(ids))]
			ids = ids[len(some):]
			calls = append(calls, rows(fmt.Sprintf("%s-%s-%d", id, kind, n+1), kind, "sys_idIN"+strings.Join(some, ","), "sys_id"+fields, "Reads what is still there"))
		}
	}
	return calls
}

// still finds a row among everything that was read. What people look at
// themselves is taken to be there.
func still(r Reading, f found) (Item, bool) {
	if r.ByHand() {
		return Item{}, true
	}
	for _, id := range sorted(r) {
		if it, ok := first(r.List(id, "result"), map[string]string{"sys_id": f.ID}); ok && strings.Contains(id, "-"+f.Kind+"-") {
			return it, true
		}
	}
	return Item{}, false
}

// complete gives the first read that failed for another reason than that
// nothing is there.
func complete(r Reading, fix string) *Problem {
	for _, id := range sorted(r) {
		if f := r.Failed(id); f != nil && !r.Missing(id) {
			return trouble(f, fix)
		}
	}
	return nil
}

const asAdmin = "Sign in with an account that holds admin."

// removal deletes the chosen rows of some kinds.
func removal(id StepID, title, what, trap, waits string, kinds ...string) Spec {
	list := func(c Context) []found { return chosenRows(c, false, kinds...) }
	return Spec{
		ID: id, Title: title, Role: bot.ServiceNowAdmin, Minutes: 2,
		When: func(c Context) bool { return len(list(c)) > 0 },
		Only: "where one of them was chosen",
		What: what, Trap: trap, IfWaits: waits,
		Undo: "Deleted rows do not come back by themselves; the guide that made them makes them anew.",
		API: &API{
			Read: func(c Context) []bot.Call { return readRows("left", list(c), "") },
			Plan: func(c Context, r Reading) (Proposal, *Problem) {
				if p := complete(r, asAdmin); p != nil {
					return Proposal{}, p
				}
				var p Proposal
				for i, f := range list(c) {
					if _, ok := still(r, f); !ok {
						p.Exists = append(p.Exists, f.Name+" is not there any more.")
						continue
					}
					p.Calls = append(p.Calls, remove(fmt.Sprintf("remove-%d", i+1), f.Kind, f.ID, "Removes "+f.Name))
				}
				return p, nil
			},
			Verify: func(c Context) []bot.Call { return readRows("left", list(c), "") },
			Prove:  func(c Context, r Reading) Finding { return proveGone(r, list(c)) },
		},
	}
}

func proveGone(r Reading, list []found) Finding {
	if p := complete(r, asAdmin); p != nil {
		return Finding{Problem: p}
	}
	var there, proof []string
	for _, f := range list {
		if _, ok := still(r, f); ok {
			there = append(there, f.Name)
		} else {
			proof = append(proof, f.Name)
		}
	}
	if len(there) > 0 {
		return Finding{Problem: refuse("Still there: "+briefly(there)+".", "Try again: I plan what is left.")}
	}
	if len(proof) > 5 {
		proof = append(proof[:4:4], count(len(proof)-4, "other", "others"))
	}
	return Finding{Proof: []string{"not there any more: " + strings.Join(proof, ", ")}}
}

func rolesRemove() Spec {
	return removal(StepRolesRemove, "Take the roles away", "Takes the chosen grants of roles away.",
		"A role that somebody has through a group goes with the group's grant, not with a row of its own.",
		"The roles stay with people who have no use for them.", "sys_user_has_role", "sys_group_has_role")
}

func oauthRemove() Spec {
	return removal(StepOAuthRemove, "Remove the OAuth entries", "Removes the chosen entries of Application Registry; their profiles and tokens go with them.",
		"This comes before Entra's secrets, so that nothing on the instance keeps asking for tokens with a secret that is gone.",
		"The instance keeps a client ID and a secret that nobody needs.", "oauth_entity")
}

// userRemove deletes the integration user, or switches it off where incidents
// name it.
func userRemove() Spec {
	list := func(c Context) []found { return chosenRows(c, false, "sys_user") }
	read := func(c Context) []bot.Call {
		return append(readRows("left", list(c), ",user_name,active,locked_out"),
			rows("opened", "incident", "opened_by.user_name="+userUnattended, "sys_id,opened_by.user_name", "Looks for incidents that the user opened"))
	}
	return Spec{
		ID: StepUserRemove, Title: "Retire the integration user", Role: bot.ServiceNowAdmin, Minutes: 1,
		When:    func(c Context) bool { return len(list(c)) > 0 },
		Only:    "where one of them was chosen",
		What:    "Deletes the integration user, or switches it off and locks it where incidents name it as the one who opened them.",
		Trap:    "Deleting a user empties its name in every incident that it opened. That is why it is only switched off then.",
		Undo:    "A user that was switched off can be made active again.",
		IfWaits: "An account stays active that nobody uses.",
		API: &API{Read: read,
			Plan: func(c Context, r Reading) (Proposal, *Problem) {
				if p := complete(r, asAdmin); p != nil {
					return Proposal{}, p
				}
				var p Proposal
				_, opened := first(r.List("opened", "result"), map[string]string{"opened_by.user_name": userUnattended})
				if r.ByHand() { // nobody has looked: what empties no field of an incident
					opened = true
				}
				for i, f := range list(c) {
					it, ok := still(r, f)
					id := fmt.Sprintf("user-%d", i+1)
					switch {
					case !ok:
						p.Exists = append(p.Exists, f.Name+" is not there any more.")
					case opened && it.Get("active") == "false" && it.Get("locked_out") == "true":
						p.Exists = append(p.Exists, f.Name+" is switched off already.")
					case opened:
						if r.ByHand() {
							p.Exists = append(p.Exists, "I do not know whether incidents name the user as the one who opened them, so it is kept and switched off.")
						} else {
							p.Exists = append(p.Exists, "Incidents name the user as the one who opened them, so it is kept and switched off.")
						}
						off := update(id, "sys_user", f.ID, body{"active": "false", "locked_out": "true"}, "Switches "+userUnattended+" off and locks it")
						off.Unmakes = bot.ObjectKey(bot.ServiceNow, "sys_user", f.ID)
						p.Calls = append(p.Calls, off)
					default:
						p.Calls = append(p.Calls, remove(id, "sys_user", f.ID, "Deletes "+userUnattended))
					}
				}
				return p, nil
			},
			Verify: read,
			Prove: func(c Context, r Reading) Finding {
				if p := complete(r, asAdmin); p != nil {
					return Finding{Problem: p}
				}
				var proof []string
				for _, f := range list(c) {
					it, ok := still(r, f)
					switch {
					case !ok:
						proof = append(proof, f.Name+" is not there any more")
					case it.Get("active") == "false" && it.Get("locked_out") == "true":
						proof = append(proof, f.Name+" is inactive and locked")
					default:
						return Finding{Problem: refuse(f.Name+" is still active.", "Try again: I switch it off.")}
					}
				}
				return Finding{Proof: proof}
			}},
	}
}

// flagsRestore puts switches back to recorded or agreed values.
func flagsRestore() Spec {
	list := func(c Context) []found { return chosenRows(c, true) }
	read := func(c Context) []bot.Call { return readRows("left", list(c), ",name,value,access,read_access,status") }
	return Spec{
		ID: StepFlagsRestore, Title: "Put the switches back", Role: bot.ServiceNowAdmin, Minutes: 2,
		When:    func(c Context) bool { return len(list(c)) > 0 },
		Only:    "where one of them was chosen",
		What:    "Puts the tables' cross-scope access and the client-credentials property back to the recorded or agreed values.",
		Trap:    "Other apps may have come to rely on these switches since. Ask around before you approve.",
		Undo:    "The values that are there now are shown in the plan; set them again by hand if something misses them.",
		IfWaits: "Every scoped app can go on reading the OAuth registry.",
		API: &API{Read: read,
			Plan: func(c Context, r Reading) (Proposal, *Problem) {
				if p := complete(r, asAdmin); p != nil {
					return Proposal{}, p
				}
				var p Proposal
				for i, f := range list(c) {
					it, ok := still(r, f)
					if !ok || restored(it, ok, f) {
						p.Exists = append(p.Exists, f.Name+" is as it was before.")
						continue
					}
					var now []string
					for _, column := range sorted(earlier(f)) {
						now = append(now, column+" "+it.Get(column))
					}
					if len(now) > 0 && !r.ByHand() {
						p.Exists = append(p.Exists, f.Name+" now: "+strings.Join(now, ", ")+".")
					}
					p.Calls = append(p.Calls, restoreRow(fmt.Sprintf("restore-%d", i+1), bot.Object{
						Key: bot.ObjectKey(bot.ServiceNow, f.Kind, f.ID), Kind: f.Kind, ID: f.ID, Name: f.Name, Before: f.Before}))
				}
				return p, nil
			},
			Verify: read,
			Prove: func(c Context, r Reading) Finding {
				if p := complete(r, asAdmin); p != nil {
					return Finding{Problem: p}
				}
				var proof []string
				for _, f := range list(c) {
					it, ok := still(r, f)
					if !restored(it, ok, f) {
						return Finding{Problem: refuse(f.Name+" is not back to what it was.", "Try again: I plan what is left.")}
					}
					if f.Before == "" {
						proof = append(proof, f.Name+" is not there any more")
						continue
					}
					var is []string
					for _, column := range sorted(earlier(f)) {
						is = append(is, column+" "+it.Get(column))
					}
					proof = append(proof, f.Name+": "+strings.Join(is, ", "))
				}
				return Finding{Proof: proof}
			}},
	}
}

// earlier is the recorded columns of a row.
func earlier(f found) map[string]string {
	var out map[string]string
	if f.Before == "" || json.Unmarshal([]byte(f.Before), &out) != nil {
		return nil
	}
	return out
}

// restored reports whether a row is as the record says: a row that was not
// there before is gone.
func restored(it Item, there bool, f found) bool {
	if f.Before == "" {
		return !there
	}
	want := earlier(f)
	if !there || want == nil {
		return false
	}
	return holds(it, want)
}
