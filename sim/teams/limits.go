package teams

import "time"

// Sizes and times. Sources: "Format your bot messages", "Targeted messages",
// "Rate limiting for agents" and "Up to date views" of the Teams documentation;
// "Long operations" of the Bot Service documentation.
const (
	ackTimeout   = 15 * time.Second
	targetLives  = 24 * time.Hour
	refreshPause = time.Minute // a card is not refreshed again sooner
	refreshCrowd = 60          // members of a conversation, or user IDs of a card, that still refresh

	maxRequest      = 1 << 20
	maxMessage      = 100 << 10 // bytes of UTF-16, pictures in base64 not counted
	cardAdvised     = 28 << 10  // what older clients and webhooks still take
	visibleActions  = 6
	suggestedAdvise = 3

	pageLeast, pageMost = 50, 500
	tenantPerSecond     = 50
	unpagedPerMinute    = 5
)

// window allows count operations in any stretch of time of its length.
type window struct {
	count int
	in    time.Duration
}

// The rates of one bot in one conversation ("Rate limiting for agents").
var (
	writeWindows = []window{{7, time.Second}, {8, 2 * time.Second}, {60, 30 * time.Second}, {1800, time.Hour}}
	readWindows  = []window{{14, time.Second}, {16, 2 * time.Second}, {120, 30 * time.Second}, {3600, time.Hour}}
)
