package about_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"keyturn/web/about"
)

func TestThePagesStandAloneAndLeadToEachOther(t *testing.T) {
	routes := http.NewServeMux()
	about.Serve(routes)
	srv := httptest.NewServer(routes)
	defer srv.Close()
	for path, says := range map[string]string{about.FrontPath: "This is Keyturn", about.PrivacyPath: "What Keyturn keeps of people", about.TermsPath: "without a warranty"} {
		resp, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", path, resp.StatusCode, err)
		}
		if !strings.Contains(string(body), says) || strings.Contains(string(body), "TITLE") {
			t.Errorf("%s does not say %q", path, says)
		}
		if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s has the headers %v", path, resp.Header)
		}
		if _, err := html.Parse(strings.NewReader(string(body))); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if far := regexp.MustCompile(`(?i)(src|href)="(https?:)?//|<script|<img|url\(`).FindString(string(body)); far != "" {
			t.Errorf("%s loads something: %s", path, far)
		}
		for _, m := range regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(string(body), -1) {
			to, err := http.Get(srv.URL + m[1])
			if err != nil {
				t.Fatal(err)
			}
			to.Body.Close()
			if to.StatusCode != http.StatusOK {
				t.Errorf("%s leads to %s, which answers %d", path, m[1], to.StatusCode)
			}
		}
	}
	resp, err := http.Get(srv.URL + "/anything")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown page is answered %d", resp.StatusCode)
	}
}
