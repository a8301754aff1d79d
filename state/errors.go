package state

import "errors"

// Sentinel errors of the stores.
var (
	// ErrSealed is a sealed value that does not open.
	ErrSealed = errors.New("the sealed value does not open: the sealing key is not the one it was sealed with, or the data was changed")
	// ErrTampered is an audit chain that is not what was written.
	ErrTampered = errors.New("the audit trail is not what Keyturn wrote")
	// ErrNewer is data written by a newer Keyturn.
	ErrNewer = errors.New("the data was written by a newer Keyturn: start that version, or go back to a backup made before the upgrade")
	// ErrInvalid is a change that no store can keep, whoever asks and however
	// often.
	ErrInvalid = errors.New("the change cannot be stored")
	// ErrOver is a view used after the decision or reading that it was for.
	ErrOver = errors.New("this view of the store is over: use it only inside the function that got it")
	// ErrClosed is a store that was closed.
	ErrClosed = errors.New("the store is closed")
)
