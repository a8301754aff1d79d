package slack

import "time"

// Slack's sizes. Sources: docs.slack.dev (reference of Block Kit, of views and
// of chat.postMessage), the comments of @slack/types and the validators of the
// Python SDK. Characters unless the name says otherwise.
const (
	maxMessageBlocks   = 50
	maxAttachments     = 100
	textAdvised        = 4000
	textTruncatedAt    = 40000
	maxUpdateText      = 4000
	maxMarkdownText    = 12000 // one markdown block, and all of a message together
	maxBlocksTogether  = 13200 // observed, undocumented; with the JSON around the text
	blocksAdvised      = 11000 // below it no refusal was ever observed
	maxBlockID         = 255
	maxActionID        = 255
	maxSectionText     = 3000
	maxSectionFields   = 10
	maxFieldText       = 2000
	maxHeaderText      = 150
	maxActions         = 25
	maxContext         = 10
	maxContextActions  = 5
	maxLabel           = 2000
	maxHint            = 2000
	maxURL             = 3000
	maxAltText         = 2000
	maxImageTitle      = 2000
	maxVideoTitle      = 200
	maxVideoAuthor     = 50
	maxTableRows       = 100
	maxTableColumns    = 20
	maxTables          = 1
	maxButtonText      = 75
	maxButtonValue     = 2000
	maxAccessibility   = 75
	maxPlaceholder     = 150
	maxOptions         = 100
	maxOptionGroups    = 100
	maxOptionText      = 75
	maxOptionValue     = 150
	optionValueAdvised = 75
	maxOptionDetail    = 75
	maxGroupLabel      = 75
	maxOverflow        = 5
	maxChecks          = 10
	maxInputLength     = 3000
	maxFiles           = 10
	maxConfirmTitle    = 100
	maxConfirmText     = 300
	maxConfirmButton   = 30
	maxViewBlocks      = 100
	maxViewTitle       = 24
	maxPrivateMetadata = 3000
	maxCallbackID      = 255
	maxExternalID      = 255
	maxViewStack       = 3
	maxViewBytes       = 250_000
	maxMetadataBytes   = 16_000 // Slack publishes no number; metadata_too_large exists
)

// Slack's times.
const (
	ackTimeout   = 3 * time.Second
	hookLives    = 30 * time.Minute
	maxRedirects = 2 // of a delivery to the bot
	hookUses     = 5
)

// retryAfter holds how long after the first attempt each repetition of an
// undelivered event comes (Events API documentation).
var retryAfter = []time.Duration{0, time.Minute, 5 * time.Minute}
