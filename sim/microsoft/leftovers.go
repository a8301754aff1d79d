package microsoft

import "fmt"

// Left is what Leftovers set up, for a test or a rehearsal to find again.
type Left struct {
	AppID         string `json:"appId"`
	LiveSecret    string `json:"-"` // the value that still mints tokens
	LiveKeyID     string `json:"liveKeyId"`
	ExpiredKeyID  string `json:"expiredKeyId"`
	RepositoryID  string `json:"repositoryId"`
	Endpoint      string `json:"endpoint"`
	ServiceNow    string `json:"serviceNow"`
	ApplicationID string `json:"applicationId"` // in the admin center, equal to AppID
}

// Leftovers sets up what a person did by hand, years ago, for the retired
// support integration with that ServiceNow host: a registration without a
// unique name, with both redirect URIs, an expired and a live secret, and the
// values in the admin center. Each call makes another registration.
func (s *Server) Leftovers(serviceNowHost string) (Left, error) {
	left := Left{ServiceNow: serviceNowHost, RepositoryID: "ServiceNow-" + serviceNowHost,
		Endpoint: "https://" + serviceNowHost + "/api/x_mioms_m365_assis/m365support"}
	err := s.change(func() error {
		now := s.now()
		left.LiveSecret = s.token(3) + "8Q~" + s.token(34)
		app, err := s.register(App{Name: "ServiceNow M365 support integration",
			RedirectURIs: []string{"https://" + serviceNowHost + "/oauth_redirect.do", "https://" + serviceNowHost + "/auth_redirect.do"},
			Secrets: []Secret{{Name: "servicenow", Value: s.token(40), Ends: now.AddDate(-1, 0, 0)},
				{Name: "servicenow 2", Value: left.LiveSecret, Ends: now.AddDate(0, 2, 0)}}})
		if err != nil {
			return fmt.Errorf("setting up the leftovers: %w", err)
		}
		a := s.st.appByAppID(app.AppID)
		a.Created = now.AddDate(-3, 0, 0)
		left.AppID, left.ApplicationID = app.AppID, app.AppID
		left.ExpiredKeyID, left.LiveKeyID = a.Passwords[0].KeyID, a.Passwords[1].KeyID
		s.st.Admin.Tool, s.st.Admin.ApplicationID = toolServiceNow, app.AppID
		s.st.Admin.Repositories = append(s.st.Admin.Repositories, savedRepository{Repository: Repository{Name: left.RepositoryID, Endpoint: left.Endpoint,
			AuthenticationType: authAAD, ClientID: "ignored", RestUsername: "ignored", HasPassword: true}, PasswordSum: sum("ignored")})
		return nil
	})
	return left, err
}
