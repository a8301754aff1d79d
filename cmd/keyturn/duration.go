package main

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// duration is a time span as people write it: 90s, 5m, 8h.
type duration time.Duration

// UnmarshalYAML reads the span.
func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	var s string
	if err := n.Decode(&s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 {
		return fmt.Errorf("line %d: %q is no time span: write 90s, 5m or 8h", n.Line, s)
	}
	*d = duration(v)
	return nil
}

func (d duration) or(otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return time.Duration(d)
}
