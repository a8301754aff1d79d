package main

import (
	"context"
	"net/http"

	"keyturn/adapters/learn"
	"keyturn/bot/engine"
	"keyturn/bot/recommend"
)

// library asks Microsoft Learn for the engine.
type library struct{ *learn.Client }

func (c *config) library(client *http.Client) engine.Library {
	if c.Learn == "off" {
		return nil
	}
	return library{learn.New(c.Learn, client, version)}
}

// Articles implements [engine.Library].
func (l library) Articles(ctx context.Context, query string) ([]recommend.Doc, error) {
	found, err := l.Search(ctx, query)
	var out []recommend.Doc
	for _, a := range found {
		out = append(out, recommend.Doc{ID: a.URL, Kind: recommend.Article, Title: a.Title, Text: a.Text, Link: a.URL})
	}
	return out, err
}
