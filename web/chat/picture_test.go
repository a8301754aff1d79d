package chat

import (
	"strings"
	"testing"

	"keyturn/sim/slack"
)

func TestAnUploadedPictureIsShownAndNothingElseThatWasUploaded(t *testing.T) {
	d := testDrawer()
	d.st.Files = []slack.File{{ID: "F0PICTURE", Done: true, Data: []byte("\x89PNG\r\n\x1a\nrest")}, {ID: "F0PAGE", Done: true, Data: []byte("<script>alert(1)</script>")}, {ID: "F0HALF", Data: []byte("\x89PNG\r\n\x1a\n")}}
	draw := func(id string) string {
		return drawBlocks(t, d, `[{"type":"image","alt_text":"Exchange Online incident on 2 days","slack_file":{"id":"`+id+`"}}]`, place{})
	}
	if out := draw("F0PICTURE"); !strings.Contains(out, `src="data:image/png;base64,iVBORw0KGgpyZXN0"`) || !strings.Contains(out, `alt="Exchange Online incident on 2 days"`) {
		t.Errorf("the picture is not shown: %s", out)
	}
	for _, id := range []string{"F0PAGE", "F0HALF", "F0GONE", ""} {
		if out := draw(id); strings.Contains(out, "<img") || !strings.Contains(out, "Exchange Online incident on 2 days") {
			t.Errorf("%s is drawn as %s", id, out)
		}
	}
}
