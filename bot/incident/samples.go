package incident

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed testdata/samples/*.json
var sampleFiles embed.FS

// SampleStories are invented issues in Graph's shape, each as the states that
// it went through, oldest first: one is out of order, one grows from an
// advisory to an incident, one is opened again. The demo plays them.
func SampleStories() [][]json.RawMessage {
	files, err := sampleFiles.ReadDir("testdata/samples")
	if err != nil {
		panic(fmt.Sprintf("the embedded samples are missing: %v", err)) // broken at build time, never by input
	}
	var out [][]json.RawMessage
	for _, f := range files {
		b, err := sampleFiles.ReadFile("testdata/samples/" + f.Name())
		var story []json.RawMessage
		if err == nil {
			err = json.Unmarshal(b, &story)
		}
		if err != nil {
			panic(fmt.Sprintf("the embedded sample %s is broken: %v", f.Name(), err))
		}
		out = append(out, story)
	}
	return out
}

// Samples are the [SampleStories] in their last state, one for each issue, by
// ID.
func Samples() []json.RawMessage {
	var out []json.RawMessage
	for _, story := range SampleStories() {
		out = append(out, story[len(story)-1])
	}
	return out
}
