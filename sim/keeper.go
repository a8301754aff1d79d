package sim

import (
	"encoding/json"
	"sync"
	"time"
)

// saveDelay is how long changes are gathered before the snapshot is written.
const saveDelay = 50 * time.Millisecond

// Keeper writes a simulator's snapshot a moment after each change, and wakes
// whoever waits for one. Its methods may be called with the simulator's own lock
// held or without.
type Keeper struct {
	file  string
	image func() (json.RawMessage, error)

	mu     sync.Mutex
	wake   chan struct{}
	saving *time.Timer
	err    error

	one sync.Mutex // writes, in their order
}

// NewKeeper writes what image gives to a file; an empty path is never written.
// image is called without the simulator's lock held.
func NewKeeper(file string, image func() (json.RawMessage, error)) *Keeper {
	return &Keeper{file: file, image: image}
}

// Changed returns a channel that is closed at the next change.
func (k *Keeper) Changed() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.wake == nil {
		k.wake = make(chan struct{})
	}
	return k.wake
}

// Touch says that something changed.
func (k *Keeper) Touch() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.wake != nil {
		close(k.wake)
		k.wake = nil
	}
	if k.file != "" && k.saving == nil {
		k.saving = time.AfterFunc(saveDelay, k.save)
	}
}

// Close writes the snapshot for the last time, and gives the error of that.
func (k *Keeper) Close() error {
	k.mu.Lock()
	if k.saving != nil {
		k.saving.Stop()
	}
	k.mu.Unlock()
	k.save()
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

func (k *Keeper) save() {
	k.one.Lock()
	defer k.one.Unlock()
	k.mu.Lock()
	k.saving = nil // what changes from here on is written next time
	k.mu.Unlock()
	b, err := k.image()
	if err == nil {
		err = Save(k.file, b)
	}
	k.mu.Lock()
	k.err = err
	k.mu.Unlock()
}
