package slack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// files are the file IDs of uploaded pictures, by the sum of their bytes.
type files map[string]string

// upload is a picture that Slack has: uploaded, and not yet forgotten.
type upload struct {
	id string
	at time.Time
}

// How long an uploaded picture is known here: as long as a message that shows
// it may be tried again, and how many there are at most.
const (
	uploadKept = time.Hour
	maxUploads = 64
)

// slowFile is how long Slack may take to make an uploaded picture ready. Until
// then it refuses messages that show it; after that its words are shown.
const slowFile = 45 * time.Second

func pictureSum(png []byte) string {
	if len(png) == 0 {
		return ""
	}
	sum := sha256.Sum256(png)
	return hex.EncodeToString(sum[:12])
}

// uploads gives Slack the pictures of a message. They belong to no channel: the
// message shows them. A picture that Slack will not take, above all without the
// scope files:write, is left to its words; an error is worth another try.
func (a *Adapter) uploads(ctx context.Context, api *slack.Client, team string, m bot.Message) (files, error) {
	var have files
	for _, p := range m.Parts {
		pic, ok := p.(bot.Image)
		if !ok || len(pic.PNG) == 0 {
			continue
		}
		id, err := a.upload(ctx, api, team, pic)
		switch bot.KindOf(err) {
		case "":
		case bot.KindUnreachable, bot.KindThrottled, bot.KindUninstalled:
			return nil, err
		default:
			a.log.Warn("a picture could not be uploaded, so its words are shown; with the scope files:write it could", "team", team, "error", err)
			a.count("picture", "refused")
			continue
		}
		if id == "" {
			continue // Slack never made it ready
		}
		if have == nil {
			have = files{}
		}
		have[pictureSum(pic.PNG)] = id
	}
	return have, nil
}

// upload gives Slack one picture, once however often its message is tried.
func (a *Adapter) upload(ctx context.Context, api *slack.Client, team string, pic bot.Image) (string, error) {
	key := team + "/" + pictureSum(pic.PNG)
	a.mu.Lock()
	known, ok := a.shown[key]
	a.mu.Unlock()
	if ok && a.now().Sub(known.at) < uploadKept {
		return known.id, nil
	}
	to, err := api.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{
		FileName: "keyturn.png", FileSize: len(pic.PNG), AltTxt: bot.Shorten(pic.Alt, 1000)})
	if err != nil {
		return "", failure(err)
	}
	if err := a.give(ctx, to.UploadURL, pic.PNG); err != nil {
		return "", err
	}
	done, err := api.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: to.FileID, Title: "Microsoft 365 service health"}}})
	if err != nil {
		return "", failure(err)
	}
	if len(done.Files) != 1 || done.Files[0].ID == "" {
		return "", &bot.Failure{Kind: bot.KindMalformed, System: system, Says: "Slack took a picture without naming it."}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for k, u := range a.shown {
		if a.now().Sub(u.at) >= uploadKept {
			delete(a.shown, k)
		}
	}
	if len(a.shown) < maxUploads {
		a.shown[key] = upload{id: done.Files[0].ID, at: a.now()}
	}
	return done.Files[0].ID, nil
}

// give sends the bytes to the address that Slack named for them, which carries
// no token and is one of Slack's own.
func (a *Adapter) give(ctx context.Context, address string, png []byte) error {
	if !a.mayAnswerAt(address) {
		return &bot.Failure{Kind: bot.KindMalformed, System: system, Says: "Slack named an address for the upload that is not its own."}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(png))
	if err != nil {
		return bad("The address for the upload cannot be used.", nil)
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, _, err := exchange(a.http, req, false)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return status(resp, false)
}

// notReady judges a refusal of a message with pictures: Slack takes a moment to
// make an uploaded one ready, and refuses messages that show it meanwhile. After
// a while the picture is given up and its words are shown.
func (a *Adapter) notReady(team string, have files, err error) error {
	f, ok := err.(*bot.Failure)
	if !ok || len(have) == 0 || !slices.Contains([]string{"invalid_blocks", "invalid_blocks_format", "file_not_found"}, f.Code) {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for sum := range have {
		key := team + "/" + sum
		u, known := a.shown[key]
		if !known {
			return err // it would be uploaded again and again
		}
		if a.now().Sub(u.at) > slowFile {
			a.shown[key] = upload{at: a.now()} // without a file: its words are shown
			a.count("picture", "unusable")
		}
	}
	return &bot.Failure{Kind: bot.KindThrottled, System: system, Status: f.Status, Code: f.Code, RetryAfter: time.Second,
		Says: "Slack has not made the picture ready yet.", Err: f}
}
