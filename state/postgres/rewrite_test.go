package postgres

import (
	"bytes"
	"testing"

	"keyturn/bot/engine"
)

// What a row said before it was changed stands in the table's file until it is
// written anew, and then no more.
func TestWhatARowSaidIsGoneOnceTheTableIsWrittenAnew(t *testing.T) {
	c := config(t)
	s := open(t, c)
	name := engine.Kind[string]{Name: "name"}
	said := []byte("erin.admin@contoso.example")
	for _, value := range []string{string(said), "nobody"} {
		var change engine.Changes
		name.Put(&change, "contoso", "person-1", value)
		if err := commit(s, change); err != nil {
			t.Fatal(err)
		}
	}
	onDisk := func() []byte {
		query(t, c.URL.Reveal(), "CHECKPOINT")
		return query(t, c.URL.Reveal(), "SELECT pg_read_binary_file(pg_relation_filepath('"+s.schema+".records'))")
	}
	if !bytes.Contains(onDisk(), said) {
		t.Fatal("the table's file does not have what a row said: there is nothing to see")
	}
	if err := s.Rewrite(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := onDisk(); bytes.Contains(b, said) || !bytes.Contains(b, []byte("nobody")) {
		t.Errorf("the table's file has what a row said before, or lost what it says: %d bytes", len(b))
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
