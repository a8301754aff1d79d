package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strconv"
	"sync/atomic"
	"time"

	"keyturn/bot"
)

// callTime is how long one method of the adapter may take in all.
const callTime = 10 * time.Second

// maxAnswer is the largest answer that is read.
const maxAnswer = 8 << 20

// once names the Web API methods that do something again when they are called
// again. After anything but a clear answer their effect is unknown.
var once = map[string]bool{"chat.postMessage": true, "chat.postEphemeral": true}

// doer makes the calls of one workspace's client. It knows what that client
// does not report: whether the request had left when the connection failed,
// and an answer that is neither ok nor an error. It adds the token as a header
// too, which servers other than Slack's may look for.
type doer struct {
	http  *http.Client
	token bot.Secret
}

// Do makes one call. Every error is a [*bot.Failure] without any part of the
// request in it.
func (d doer) Do(req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+d.token.Reveal())
	again := once[path.Base(req.URL.Path)]
	resp, body, err := exchange(d.http, req, again)
	if err != nil {
		return nil, err
	}
	if err := status(resp, again); err != nil {
		return nil, err
	}
	var a struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(body, &a); err != nil || a.OK == nil {
		return nil, unclear("Slack's answer could not be understood.", again, bot.KindMalformed, nil)
	}
	if !*a.OK && a.Error == "" {
		return nil, &bot.Failure{Kind: bot.KindMalformed, System: system, Status: resp.StatusCode,
			Says: "Slack refused without a reason."}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// exchange sends a request and reads the whole answer.
func exchange(c *http.Client, req *http.Request, again bool) (*http.Response, []byte, error) {
	var left atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { left.Store(true) },
		WroteHeaders:     func() { left.Store(true) },
	}))
	resp, err := c.Do(req)
	if err != nil {
		return nil, nil, broken(err, again && left.Load())
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, broken(err, again)
	}
	if len(body) > maxAnswer {
		return nil, nil, unclear("Slack's answer is larger than can be right.", again, bot.KindMalformed, nil)
	}
	return resp, body, nil
}

// broken is a connection that failed. The URL is taken out of the error: a
// response_url is a key to the conversation.
func broken(err error, effect bool) *bot.Failure {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	says := "The connection to Slack failed."
	if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		says = "Slack did not answer in time."
	}
	return unclear(says, effect, bot.KindUnreachable, err)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// unclear is ambiguous where the call may have taken effect and must not be
// repeated blindly.
func unclear(says string, effect bool, otherwise bot.Kind, err error) *bot.Failure {
	f := &bot.Failure{Kind: otherwise, System: system, Says: says, Err: err}
	if effect {
		f.Kind = bot.KindAmbiguous
		f.Says += " Whether the message was posted is not known."
	}
	return f
}

// status judges everything but 200.
func status(resp *http.Response, again bool) error {
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code == http.StatusTooManyRequests:
		f := throttled(resp.Header.Get("Retry-After"))
		f.Status = code
		return f
	case code >= 500:
		f := unclear("Slack is having trouble (HTTP "+strconv.Itoa(code)+").", again, bot.KindUnreachable, nil)
		f.Status = code
		return f
	default:
		return &bot.Failure{Kind: bot.KindRefused, System: system, Status: code,
			Says: "Slack's API answered HTTP " + strconv.Itoa(code) + ".",
			Fix:  "Check the API address in the configuration and what stands between Keyturn and Slack."}
	}
}

// throttled reads Retry-After, in seconds; without one it is half a minute.
func throttled(after string) *bot.Failure {
	wait := 30 * time.Second
	if n, err := strconv.Atoi(after); err == nil && n >= 0 {
		wait = min(max(time.Duration(n)*time.Second, time.Second), time.Hour)
	}
	return &bot.Failure{Kind: bot.KindThrottled, System: system, RetryAfter: wait, Says: "Slack asks to slow down."}
}
