package slack

import (
	"encoding/json"
	"time"
)

// shaped is a date or a time of day as Slack writes them.
func shaped(layout string) rule {
	return func(c *checker, at string, v any) {
		s, ok := v.(string)
		if !ok {
			c.fail(at, "must be a string")
			return
		}
		if _, err := time.Parse(layout, s); err != nil {
			c.fail(at, "must look like %s", layout)
		}
	}
}

// checkView checks a modal or a Home as views.open and its like receive it.
func checkView(raw json.RawMessage, want surface) *checker {
	c := &checker{where: want, ids: map[string]bool{}}
	var view map[string]any
	if err := json.Unmarshal(raw, &view); err != nil || view == nil {
		c.fail("/view", "must be an object")
		return c
	}
	may := map[string]rule{"type": oneOf(string(want)), "blocks": nil, "private_metadata": str(0, maxPrivateMetadata),
		"callback_id": str(0, maxCallbackID), "external_id": str(0, maxExternalID)}
	need := []string{"type", "blocks"}
	if want == inModal {
		need = append(need, "title")
		may["title"], may["submit"], may["close"] = plain(maxViewTitle), plain(maxViewTitle), plain(maxViewTitle)
		may["clear_on_close"], may["notify_on_close"], may["submit_disabled"] = boolean, boolean, boolean
	}
	object{need: need, may: may}.check(c, "/view", view)
	if view["blocks"] != nil {
		blocks, err := json.Marshal(view["blocks"])
		if err != nil {
			c.fail("/view/blocks", "must be an array of blocks")
			return c
		}
		inner := checkBlocks(blocks, want, "/view/blocks")
		c.faults = append(c.faults, inner.faults...)
		c.warnings = append(c.warnings, inner.warnings...)
		c.inputs = inner.inputs
	}
	if want == inModal && c.inputs > 0 && view["submit"] == nil {
		c.fail("/view", "a modal with input blocks needs a submit button")
	}
	return c
}
