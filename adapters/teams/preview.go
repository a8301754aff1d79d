package teams

import "keyturn/bot"

// PreviewPayload is the JSON body that the Bot Connector would get for a
// message, without what says where it goes.
func PreviewPayload(m bot.Message) ([]byte, error) {
	d, err := draw(m, nil, nil)
	if err != nil {
		return nil, err
	}
	return prune(message(d, false))
}
