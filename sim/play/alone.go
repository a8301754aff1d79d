package play

import (
	"net/http"

	"keyturn/sim/learn"
	"keyturn/sim/microsoft"
	"keyturn/sim/servicenow"
	"keyturn/sim/slack"
	"keyturn/sim/teams"
)

// OnlySlack is the organisation's Slack alone, for a bot that runs elsewhere
// on this machine. Call the returned function at the end.
func OnlySlack(file, bot, url string) (http.Handler, func() error, error) {
	s, err := slack.New(slackWorld(file, bot, url, Options{}))
	if err != nil {
		return nil, nil, err
	}
	return s.Handler(), s.Shutdown, nil
}

// OnlyTeams is its Teams alone, the Bot Connector and its tokens with it.
func OnlyTeams(file, bot, url string) (http.Handler, func() error, error) {
	s, err := teams.New(teamsWorld(file, bot, url, Options{}))
	if err != nil {
		return nil, nil, err
	}
	return s.Handler(), s.Shutdown, nil
}

// OnlyMicrosoft is its Entra, Graph and admin center alone.
func OnlyMicrosoft(file, url string) (http.Handler, func() error, error) {
	s, err := microsoft.New(microsoftWorld(file, url, Options{}))
	if err != nil {
		return nil, nil, err
	}
	return s.Handler(), nothing, nil
}

// OnlyServiceNow is its ServiceNow instance alone; it asks a Microsoft
// simulator for tokens.
func OnlyServiceNow(file, microsoftURL string) (http.Handler, func() error, error) {
	s, err := servicenow.New(serviceNowWorld(file, microsoftURL, Options{}))
	if err != nil {
		return nil, nil, err
	}
	return s.Handler(), nothing, nil
}

// OnlyLearn is Microsoft Learn alone.
func OnlyLearn(url string) http.Handler { return learn.New(url, learn.Samples()) }

func nothing() error { return nil }
