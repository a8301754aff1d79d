package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"keyturn/bot"
)

// logHandler writes the log: a line for each event. An error of an outside
// system has there what its own log knows it by, and what was in the way, which
// the sentence for people leaves out.
func logHandler(w io.Writer, level slog.Leveler) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if err, ok := a.Value.Any().(error); ok && err != nil {
			return slog.String("err", err.Error()+traced(err))
		}
		return a
	}})
}

// traced is what an operator needs of a failure besides its sentence.
func traced(err error) string {
	var f *bot.Failure
	if !errors.As(err, &f) {
		return ""
	}
	var all []string
	if f.Status != 0 {
		all = append(all, fmt.Sprintf("HTTP %d", f.Status))
	}
	if f.RequestID != "" {
		all = append(all, "request "+f.RequestID)
	}
	if f.Err != nil && !strings.Contains(err.Error(), f.Err.Error()) {
		all = append(all, strings.Join(strings.Fields(f.Err.Error()), " "))
	}
	if len(all) == 0 {
		return ""
	}
	return " [" + strings.Join(all, "; ") + "]"
}
