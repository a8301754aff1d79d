package state

import "testing"

// An alias is the key's: the same after a key was added, another under another
// key, and not the name.
func TestAnAliasStaysWhenAKeyIsAdded(t *testing.T) {
	first := must(NewKey())
	name := "erin.admin@contoso.example"
	alias := must(OpenAuditor(first)).Alias(name)
	if again := must(OpenAuditor(must(AddKey(first)))).Alias(name); again != alias {
		t.Errorf("after a rotation %s is %s, before %s", name, again, alias)
	}
	if other := must(OpenAuditor(must(NewKey()))).Alias(name); other == alias {
		t.Error("another key gives the same alias")
	}
	if other := must(OpenAuditor(first)).Alias(name + "x"); other == alias || len(alias) != 64 {
		t.Errorf("another name has the alias %s, %s has %s", other, name, alias)
	}
}
