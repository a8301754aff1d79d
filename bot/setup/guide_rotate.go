package setup

// rotateGuide replaces one credential without a gap: a new one beside the old,
// put to use, proved, and only then the old one removed. It is begun for a
// credential of the inventory and asks for nothing that the inventory knows.
//
//	look ─┬─ secret ──── new secret ─ ServiceNow has it ─ ServiceNow used it ─┬─ old one removed ─ record
//	      └─ reader key ─ new key, proved ─ health read with it ─────────────┘
//	ServiceNow entry ─ new entry, proved with a sign-in ─ old entry removed ─ record
func rotateGuide() *Guide {
	secret, reader := clientSecret(), readerApp()
	provider := oauthProvider()
	secret.When, provider.When, reader.When = rotates("secret"), rotates("secret"), rotates("application")
	secret.Only, provider.Only, reader.Only = forSecrets, forSecrets, forReader
	entry := unattended()
	entry.When, entry.Only, entry.NoSkip = rotates("oauth_entity"), forEntry, true
	return &Guide{
		ID: Rotate, Revision: 1,
		Title: "Replace a secret or a key",
		What:  "Makes a new one, puts it to use, proves it, and then removes the old one. Nothing stops working in between.",
		Steps: recorded([]Spec{
			rotateLook(),
			after(secret, StepRotateLook),
			after(provider, StepEntraSecret),
			after(rotateUse(), StepOAuth),
			after(reader, StepRotateLook),
			after(rotateReader(), StepReaderApp),
			after(rotateRemove(), StepRotateUse, StepRotateReader),
			after(entry, StepRotateLook),
			after(rotateEntryRemove(), StepUnattended),
		}),
	}
}

const (
	forSecrets = "where a client secret is replaced"
	forReader  = "where the key that reads service health is replaced"
	forEntry   = "where the sign-in for unattended work is replaced"
	forEntra   = "where what is replaced is at Entra"
)

// rotates reports whether a run replaces a credential of a kind.
func rotates(kind string) func(Context) bool {
	return func(c Context) bool {
		o, ok := replaced(c)
		return ok && o.Kind == kind
	}
}
