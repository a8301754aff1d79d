package microsoft

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// signIn is one authorization request, read and checked.
type signIn struct {
	app         *application
	sp          *principal
	redirectURI string
	mode        string
	state       string
	scopes      []string
	form        url.Values
}

// authorize serves the sign-in page: choose the account, consent where it is
// missing, go back to the application with a code.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.signInError(w, r, refuse("invalid_request", 9002313, "Invalid request. Request is malformed or invalid."))
		return
	}
	req, failed := s.readSignIn(r.Form)
	if failed != nil {
		s.signInError(w, r, failed)
		return
	}
	if failed := s.completeSignIn(r, req); failed != nil {
		s.sendBack(w, r, req, failedAnswer(failed, req.state))
		return
	}
	entry(r).Who = "sign-in to " + req.app.DisplayName
	switch account := r.PostFormValue("account"); {
	case r.PostFormValue("action") == "cancel":
		s.sendBack(w, r, req, failedAnswer(refuse("access_denied", 65004, "User declined to consent to access the app."), req.state))
	case r.Form.Get("prompt") == "none":
		s.sendBack(w, r, req, failedAnswer(refuse("login_required", 50058, "A silent sign-in request was sent but no user is signed in."), req.state))
	case r.Method == http.MethodPost && account != "":
		s.chooseAccount(w, r, req, account)
	default:
		s.page(w, r, http.StatusOK, "signin", pageData{Title: "Pick an account", App: req.app.DisplayName,
			Accounts: s.accounts(r.Form.Get("login_hint")), Hidden: hiddenFields(r.Form), Action: r.URL.EscapedPath()})
	}
}

// readSignIn checks what must be right before anything may be sent to the
// redirect URI: the application and the URI itself.
func (s *Server) readSignIn(f url.Values) (*signIn, *tokenError) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if f.Get(name) == "" {
			return nil, missingParameter(name)
		}
	}
	app, sp := s.st.appByAppID(f.Get("client_id")), s.st.principalByAppID(f.Get("client_id"))
	if app == nil || sp == nil {
		return nil, appNotFound(f.Get("client_id"), s.cfg.Name)
	}
	if sp.Disabled {
		return nil, refuse("unauthorized_client", 7000112, "Application '%s'(%s) is disabled.", app.AppID, app.DisplayName)
	}
	if !slices.Contains(app.Web.RedirectURIs, f.Get("redirect_uri")) {
		return nil, wrongRedirect(f.Get("redirect_uri"), app)
	}
	return &signIn{app: app, sp: sp, redirectURI: f.Get("redirect_uri"), mode: f.Get("response_mode"), state: f.Get("state"), form: f}, nil
}

func wrongRedirect(uri string, app *application) *tokenError {
	return refuse("invalid_request", 50011, "The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application '%s'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error.", uri, app.AppID)
}

func (s *Server) completeSignIn(r *http.Request, req *signIn) *tokenError {
	if t := req.form.Get("response_type"); t != "code" {
		return refuse("unsupported_response_type", 700054, "response_type '%s' is not enabled for the application.", t)
	}
	if m := req.form.Get("code_challenge_method"); m != "" && m != "S256" && m != "plain" {
		return refuse("invalid_request", 9002313, "Invalid request. code_challenge_method '%s' is not supported.", m)
	}
	if req.app.Public && req.form.Get("code_challenge") == "" {
		return refuse("invalid_request", 9002325, "Proof Key for Code Exchange is required for cross-origin authorization code redemption.")
	}
	if strings.TrimSpace(req.form.Get("scope")) == "" {
		return missingParameter("scope")
	}
	scopes, err := s.parseScopes(req.form.Get("scope"), s.base(r), req.app)
	req.scopes = scopes
	return err
}

func (s *Server) chooseAccount(w http.ResponseWriter, r *http.Request, req *signIn, account string) {
	u := s.st.userBy(account)
	if u == nil {
		s.signInError(w, r, refuse("invalid_request", 50034, "The user account %s does not exist in the %s directory.", account, s.cfg.Name))
		return
	}
	entry(r).Who = u.UPN + " with " + req.app.DisplayName
	if err := s.mayStay(u); err != nil {
		s.signInError(w, r, err)
		return
	}
	if missing := s.unconsented(req.app, req.sp, u, req.scopes); len(missing) > 0 {
		if !s.consentOnTheWay(w, r, req, u, missing) {
			return
		}
	}
	code := "1.A" + s.token(60)
	s.codes[sum(code)] = &authCode{appID: req.app.AppID, userID: u.ID, redirectURI: req.redirectURI,
		challenge: req.form.Get("code_challenge"), method: req.form.Get("code_challenge_method"),
		nonce: req.form.Get("nonce"), scopes: req.scopes, ends: s.now().Add(codeLifetime)}
	entry(r).Note = "signed in"
	answer := url.Values{"code": {code}, "session_state": {s.newID()}}
	if req.state != "" {
		answer.Set("state", req.state)
	}
	s.sendBack(w, r, req, answer)
}

// consentOnTheWay asks the person who signs in for what is missing, or tells
// them that only an admin can agree to it. It reports whether to go on.
func (s *Server) consentOnTheWay(w http.ResponseWriter, r *http.Request, req *signIn, u *user, missing []string) bool {
	admin := anyOf(u.active(s.now()), consentsToScopes)
	if needsAdmin(missing) && !admin {
		entry(r).Note = "refused: needs admin approval"
		s.page(w, r, http.StatusOK, "needadmin", pageData{Title: "Need admin approval", App: req.app.DisplayName, User: u,
			Items: missing, Text: "AADSTS90094: An administrator of " + s.cfg.Name + " has to grant this app permission before you can use it."})
		return false
	}
	if r.PostFormValue("action") != "accept" {
		hidden := hiddenFields(r.Form)
		hidden.Set("account", u.UPN)
		s.page(w, r, http.StatusOK, "permissions", pageData{Title: "Permissions requested", App: req.app.DisplayName, User: u,
			Items: missing, Hidden: hidden, Action: r.URL.EscapedPath(), Admin: admin})
		return false
	}
	kind, who := "Principal", u.ID
	if admin && r.PostFormValue("everyone") != "" {
		kind, who = "AllPrincipals", ""
	}
	s.addScopes(req.sp, kind, who, missing)
	s.changed()
	return true
}

// addScopes records delegated permissions as one grant per client and person.
func (s *Server) addScopes(sp *principal, kind, userID string, scopes []string) {
	graph := s.st.principalByAppID(GraphAppID)
	g := find(s.st.Grants, func(g *scopeGrant) bool {
		return g.ClientID == sp.ID && g.ResourceID == graph.ID && g.ConsentType == kind && g.PrincipalID == userID
	})
	if g == nil {
		g = &scopeGrant{ID: s.token(43), ClientID: sp.ID, ConsentType: kind, PrincipalID: userID, ResourceID: graph.ID}
		s.st.Grants = append(s.st.Grants, g)
	}
	have := strings.Fields(g.Scope)
	for _, sc := range scopes {
		if !slices.Contains(have, sc) {
			have = append(have, sc)
		}
	}
	g.Scope = strings.Join(have, " ")
}

func failedAnswer(e *tokenError, state string) url.Values {
	v := url.Values{"error": {e.oauth}, "error_description": {e.Error()}}
	if state != "" {
		v.Set("state", state)
	}
	return v
}

// sendBack returns to the application in the response mode it asked for.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, req *signIn, answer url.Values) {
	if answer.Get("error") != "" {
		entry(r).Note = "refused: " + answer.Get("error")
	}
	if req.mode == "form_post" {
		s.page(w, r, http.StatusOK, "formpost", pageData{Title: "Working...", Action: req.redirectURI, Hidden: answer})
		return
	}
	redirect(w, req.redirectURI, answer, req.mode == "fragment")
}

// redirect answers 302 to a URI of a registration, whatever its scheme.
func redirect(w http.ResponseWriter, uri string, answer url.Values, fragment bool) {
	sep := "?"
	switch {
	case fragment:
		sep = "#"
	case strings.Contains(uri, "?"):
		sep = "&"
	}
	w.Header().Set("Location", uri+sep+answer.Encode())
	w.WriteHeader(http.StatusFound)
}

// accounts lists who may be picked, the hinted one first.
func (s *Server) accounts(hint string) []*user {
	list := slices.Clone(s.st.Users)
	slices.SortStableFunc(list, func(a, b *user) int {
		switch x, y := strings.EqualFold(a.UPN, hint), strings.EqualFold(b.UPN, hint); {
		case x && !y:
			return -1
		case y && !x:
			return 1
		}
		return 0
	})
	return list
}

// hiddenFields carries a request's parameters through the page.
func hiddenFields(f url.Values) url.Values {
	out := url.Values{}
	for k, v := range f {
		if k != "account" && k != "action" && k != "everyone" && len(v) > 0 {
			out[k] = v[:1]
		}
	}
	return out
}

// signInError shows an error on Microsoft's page: where the application or its
// redirect URI cannot be trusted, or a policy stops the person, nothing goes back.
func (s *Server) signInError(w http.ResponseWriter, r *http.Request, e *tokenError) {
	entry(r).Note = "refused: " + strings.SplitN(e.Error(), ":", 2)[0]
	title := "Sorry, but we're having trouble signing you in."
	if e.code == 53003 {
		title = "You cannot access this right now"
	}
	stamp := s.now().Format("2006-01-02 15:04:05Z")
	s.page(w, r, http.StatusBadRequest, "message", pageData{Title: title, Text: s.description(e, s.newID(), s.correlation(r), stamp), Failed: true})
}
