package slack

import (
	"errors"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"keyturn/bot"
)

// system names Slack in failures.
const system bot.System = "Slack"

type meaning struct {
	kind bot.Kind
	says string
	fix  string
}

const (
	fixInvite    = "Invite it there with /invite, or choose another channel."
	fixReinstall = "Install the app in the workspace again and put its new token into the configuration."
	fixPlace     = "Choose another channel, or ask a channel manager to allow the app to post."
)

// meanings says what the errors of Slack's methods mean for Keyturn. Source:
// Slack, error tables of chat.postMessage, chat.postEphemeral, chat.update,
// views.open, views.publish, conversations.open, conversations.history and
// usergroups.users.list.
var meanings = map[string]meaning{
	"not_in_channel":                           {bot.KindGone, "Keyturn is not in the channel.", fixInvite},
	"channel_not_found":                        {bot.KindGone, "The channel is gone, or it is private and Keyturn is not in it.", fixInvite},
	"user_not_in_channel":                      {bot.KindGone, "The person is not in the channel.", ""},
	"is_archived":                              {bot.KindGone, "The channel is archived.", "Unarchive it, or choose another channel."},
	"restricted_action":                        {bot.KindGone, "The workspace does not let the app post there.", fixPlace},
	"restricted_action_read_only_channel":      {bot.KindGone, "The channel is read-only.", fixPlace},
	"restricted_action_thread_only_channel":    {bot.KindGone, "Only replies in threads are allowed in the channel.", fixPlace},
	"restricted_action_thread_locked":          {bot.KindGone, "The thread is locked.", "Unlock the thread, or choose another channel."},
	"restricted_action_non_threadable_channel": {bot.KindGone, "The channel has no threads.", fixPlace},
	"messages_tab_disabled":                    {bot.KindGone, "Direct messages with the app are switched off.", "Switch the Messages tab on under App Home in the app's settings."},
	"cannot_dm_bot":                            {bot.KindGone, "A bot cannot be written to.", ""},
	"user_not_found":                           {bot.KindGone, "Slack does not know this user.", "Check the user ID in the configuration."},
	"users_not_found":                          {bot.KindGone, "Slack does not know this user.", "Check the user ID in the configuration."},
	"user_disabled":                            {bot.KindGone, "The user's account is deactivated.", "Somebody else has to act; an owner can give their role to another person with /keyturn roles."},
	"user_not_visible":                         {bot.KindGone, "The app may not see this user.", ""},
	"team_access_not_granted":                  {bot.KindGone, "The app was not granted access to this workspace.", "An organisation admin can add the app to it."},
	"ekm_access_denied":                        {bot.KindGone, "Administrators have suspended posting there.", "Ask a Slack administrator."},
	"token_revoked":                            {bot.KindUninstalled, "The app's token was revoked.", fixReinstall},
	"token_expired":                            {bot.KindUninstalled, "The app's token has expired.", fixReinstall},
	"account_inactive":                         {bot.KindUninstalled, "The app was removed from the workspace, or the workspace is closed.", fixReinstall},
	"invalid_auth":                             {bot.KindUninstalled, "Slack does not accept the app's token.", fixReinstall},
	"not_authed":                               {bot.KindUninstalled, "Slack received no token.", fixReinstall},
	"message_not_found":                        {bot.KindNotFound, "The message no longer exists.", ""},
	"edit_window_closed":                       {bot.KindNotFound, "Slack no longer lets the message be edited.", ""},
	"cant_update_message":                      {bot.KindNotFound, "The message is not one that the app may edit.", ""},
	"is_inactive":                              {bot.KindNotFound, "The message is frozen.", ""},
	"thread_not_found":                         {bot.KindNotFound, "The thread no longer exists.", ""},
	"cannot_reply_to_message":                  {bot.KindNotFound, "The message takes no replies.", ""},
	"no_such_subteam":                          {bot.KindNotFound, "The user group does not exist.", "Check the group's ID in the configuration."},
	"missing_scope":                            {bot.KindForbidden, "The app lacks a scope.", "Grant it under OAuth & Permissions in the app's settings and install the app again."},
	"no_permission":                            {bot.KindForbidden, "The app may not do this.", "Check its scopes under OAuth & Permissions."},
	"access_denied":                            {bot.KindForbidden, "The app may not do this.", "Ask a Slack administrator."},
	"enterprise_is_restricted":                 {bot.KindForbidden, "The organisation does not let the app do this.", "Ask a Slack administrator."},
	"not_allowed_token_type":                   {bot.KindForbidden, "The token is not a bot token.", "Put the token that begins with xoxb- into the configuration."},
	"permission_denied":                        {bot.KindForbidden, "The app may not do this.", "Ask a Slack administrator."},
	"trigger_expired":                          {bot.KindRefused, "Slack shows forms only within three seconds of a click.", "Click again."},
	"trigger_exchanged":                        {bot.KindRefused, "Slack had shown a form for this click already.", "Click again."},
	"invalid_trigger_id":                       {bot.KindRefused, "Slack does not know the click that the form belongs to.", "Click again."},
	"msg_too_long":                             {bot.KindBadRequest, "The message is too long for Slack.", ""},
	"msg_blocks_too_long":                      {bot.KindBadRequest, "The message is too long for Slack.", ""},
	"invalid_blocks":                           {bot.KindBadRequest, "Slack does not accept how the message is drawn.", ""},
	"invalid_blocks_format":                    {bot.KindBadRequest, "Slack does not accept how the message is drawn.", ""},
	"block_mismatch":                           {bot.KindBadRequest, "Slack does not accept how the message is drawn.", ""},
	"no_text":                                  {bot.KindBadRequest, "The message says nothing.", ""},
	"invalid_arguments":                        {bot.KindBadRequest, "Slack does not accept the call.", ""},
	"invalid_metadata_format":                  {bot.KindBadRequest, "Slack does not accept the message's metadata.", ""},
	"metadata_too_large":                       {bot.KindBadRequest, "The message's metadata is too large.", ""},
	"view_too_large":                           {bot.KindBadRequest, "The form or page is too large for Slack.", ""},
	"service_unavailable":                      {bot.KindUnreachable, "Slack is unavailable.", ""},
	"team_added_to_org":                        {bot.KindUnreachable, "The workspace is being moved into an organisation.", ""},
	"request_timeout":                          {bot.KindUnreachable, "The request did not arrive at Slack whole.", ""},
	"accesslimited":                            {bot.KindUnreachable, "Slack limits access at the moment.", ""},
	"ratelimited":                              {bot.KindThrottled, "Slack asks to slow down.", ""},
	"rate_limited":                             {bot.KindThrottled, "Slack asks to slow down.", ""},
	"message_limit_exceeded":                   {bot.KindRefused, "The workspace has reached its limit of messages.", "Ask a Slack administrator."},
}

// failure turns an error of a call into one with a sentence and a kind.
func failure(err error) error { return judged(err, false) }

// postFailure is failure for calls that must not be repeated blindly: Slack's
// own internal errors may have had an effect.
func postFailure(err error) error { return judged(err, true) }

func judged(err error, again bool) error {
	if err == nil {
		return nil
	}
	var known *bot.Failure
	if errors.As(err, &known) {
		return known
	}
	var refused slack.SlackErrorResponse
	if !errors.As(err, &refused) {
		// The client could not decode what Slack said; its error names types,
		// not values.
		return unclear("Slack's answer could not be understood.", again, bot.KindMalformed, err)
	}
	if refused.Err == "fatal_error" || refused.Err == "internal_error" {
		f := unclear("Slack had an internal error.", again, bot.KindUnreachable, nil)
		f.Code = refused.Err
		return f
	}
	f := &bot.Failure{Kind: bot.KindRefused, System: system, Code: refused.Err, Says: "Slack refused."}
	if m, ok := meanings[refused.Err]; ok {
		f.Kind, f.Says, f.Fix = m.kind, m.says, m.fix
	}
	f.Away = refused.Err == "user_disabled"
	if f.Kind == bot.KindThrottled {
		f.RetryAfter = 30 * time.Second
	}
	if f.Kind == bot.KindForbidden && refused.Needed != "" {
		f.Says = "The app lacks the scope " + bot.OneLine(refused.Needed) + "."
	}
	if d := refused.ResponseMetadata.Messages; len(d) > 0 {
		f.Err = errors.New(bot.Shorten(strings.Join(d, "; "), 500))
	}
	return f
}
