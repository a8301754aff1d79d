package play

import (
	"context"
	"slices"
	"strings"
	"time"
)

// form waits for the form in front of a person. In a Teams channel everybody
// sees a button that draws it, and they press that first.
func (p *Player) form(ctx context.Context, who Person) (openForm, error) {
	if p.Act == nil {
		return p.formNow(ctx, who)
	}
	// A bot that ends right after an act opens no form any more: its one try is
	// lost, and the person does the same again.
	for range 5 {
		short, cancel := context.WithTimeout(ctx, forgetful)
		f, err := p.formNow(short, who)
		cancel()
		if err == nil || ctx.Err() != nil {
			return f, err
		}
		p.act(p.acted)
	}
	return p.formNow(ctx, who)
}

// forgetful is how long a person waits for a form of a bot that may have ended.
const forgetful = 6 * time.Second

func (p *Player) formNow(ctx context.Context, who Person) (openForm, error) {
	var found openForm
	c, pressed := p.client(who), false
	err := p.until(ctx, "a form in front of "+who.Name, func() bool {
		var ok bool
		if found, ok = c.form(who); ok || pressed {
			return ok
		}
		for _, k := range slices.Backward(c.shown()) {
			for _, b := range k.Buttons {
				if b.Action == "show" && strings.Contains(k.Text, who.Name) && !p.done["shown/"+k.TS] {
					p.done["shown/"+k.TS] = true
					var err error
					p.act(func() { _, err = c.press(who, k, b) })
					found, ok = c.form(who)
					return err == nil && ok
				}
			}
		}
		return false
	})
	return found, err
}
