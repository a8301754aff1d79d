package play

import "time"

// Counts is what people had to do, and what became of it.
type Counts struct {
	Clicks, Typed, Secrets, Calls, Made, Removed int
}

// patience is how long a player waits for what it expects. Only a play that
// fails waits so long, and a busy machine may need much of it.
const patience = 60 * time.Second
