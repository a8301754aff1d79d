package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// Config says which file to open and with what.
type Config struct {
	Path    string         // the data file; it is made where there is none, its folder is not
	Sealer  state.Sealer   // of the keyset that the data was made with
	Auditor *state.Auditor // of the same keyset

	Now  func() time.Time // time.Now where nil
	Log  *slog.Logger     // for what the operator must know; discarded where nil
	Keep state.Keep       // how long what is finished stays

	// NoSync does not wait for the disk: for tests that need no crash safety.
	NoSync bool
	// Wait is how long to wait for another process to let go of the file;
	// zero is one second.
	Wait time.Duration
}

// Store is an [engine.Store] in one file.
type Store struct {
	path    string
	sealer  state.Sealer
	auditor *state.Auditor
	now     func() time.Time
	log     *slog.Logger
	keep    state.Keep
	options bolt.Options

	file   sync.RWMutex // held to replace db, shared to read it
	db     *bolt.DB     // nil when closed
	upkeep sync.Mutex   // held by what reads the whole file, so that readers never wait for it
	lanes  *lanes

	queue   chan *member
	chores  chan func() // for the writer, between groups
	stop    chan struct{}
	stopped chan struct{}
	waiting atomic.Int64 // commits that the writer has not taken yet
	last    rush         // the writer's own
	once    sync.Once
	closing error
	wake    chan struct{}

	// What tests replace to make the disk fail.
	commit func(*bolt.Tx) error
	put    func(b *bolt.Bucket, key, value []byte) error
}

var _ engine.Store = (*Store)(nil)

// mapped is the address space reserved for the file, so that growing it
// seldom waits for readers.
const mapped = 1 << 30

// Open opens the data file, or makes it. It refuses a file that is in use by
// another process, that is not Keyturn's, that is cut off, that a newer
// Keyturn wrote, or that was sealed with another key. No job is claimed.
func Open(c Config) (*Store, error) {
	if c.Sealer == nil || c.Auditor == nil {
		return nil, errors.New("the data file cannot be opened without its sealing key")
	}
	s := &Store{
		path: c.Path, sealer: c.Sealer, auditor: c.Auditor, now: c.Now, log: c.Log, keep: c.Keep.WithDefaults(),
		queue: make(chan *member), chores: make(chan func()),
		stop: make(chan struct{}), stopped: make(chan struct{}), wake: make(chan struct{}, 1),
		commit: (*bolt.Tx).Commit, put: put,
	}
	s.defaults(c)
	if err := s.open(); err != nil {
		return nil, err
	}
	if err := s.ready(); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	if err := os.Remove(s.spare()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("what an interrupted compaction left could not be removed", "error", err)
	}
	go s.run()
	return s, nil
}

func (s *Store) defaults(c Config) {
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.options = bolt.Options{Timeout: c.Wait, NoSync: c.NoSync, FreelistType: bolt.FreelistMapType, NoStatistics: true}
	if c.Wait == 0 {
		s.options.Timeout = time.Second
	}
	if runtime.GOOS != "windows" && strconv.IntSize == 64 {
		s.options.InitialMmapSize = mapped // Windows would make the file that large
	}
}

// open opens the file itself.
func (s *Store) open() (err error) {
	made := false
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if dir := filepath.Dir(s.path); !isDir(dir) {
			return fmt.Errorf("the data file %s cannot be made, because the folder %s does not exist: make it, owned by the user that runs Keyturn", s.path, dir)
		}
		made = true
	case err != nil:
		return fmt.Errorf("the data file %s cannot be opened: %w", s.path, err)
	case info.IsDir():
		return fmt.Errorf("the data file %s is a folder: name a file in it", s.path)
	case info.Size() > 0:
		if err := inspect(s.path); err != nil {
			return err
		}
	}
	defer faults(s.path, &err)()
	s.db, err = s.lock(s.path)
	if err != nil {
		return s.explain(err)
	}
	if made && !s.options.NoSync {
		err = syncDir(filepath.Dir(s.path))
	}
	return err
}

// lock opens a file and makes sure that it is still the one of that name when
// the lock is there: whoever had the lock may have compacted.
func (s *Store) lock(path string) (*bolt.DB, error) {
	var opened *os.File
	options := s.options
	options.OpenFile = func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		f, err = os.OpenFile(name, flag, mode)
		opened = f
		return f, err
	}
	db, err := bolt.Open(path, 0o600, &options)
	if err != nil {
		return nil, err
	}
	db.AllocSize = 1 << 20
	have, err := opened.Stat()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if named, err := os.Stat(path); err != nil || !os.SameFile(have, named) {
		return nil, errors.Join(berrors.ErrTimeout, db.Close())
	}
	return db, nil
}

// faults turns a fault while reading a damaged file, which would end the
// process, into an error.
func faults(path string, err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		if p := recover(); p != nil {
			*err = fmt.Errorf("the data file %s is damaged: go back to a backup (%v)", path, p)
		}
	}
}

func (s *Store) explain(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("the data file %s is in use by another process: is Keyturn running already? Stop it first, or let this one use another file: %w", s.path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the data file %s may not be written: give it and its folder to the user that runs Keyturn: %w", s.path, err)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return fmt.Errorf("the data file %s is damaged or not Keyturn's: go back to a backup, or name another file: %w", s.path, err)
	}
	return fmt.Errorf("the data file %s cannot be opened: %w", s.path, err)
}

// ready makes a new file's buckets or checks an old one's, then reads what
// memory needs: the lanes, and nothing else.
func (s *Store) ready() (err error) {
	defer faults(s.path, &err)()
	empty := false
	err = s.db.View(func(tx *bolt.Tx) error {
		if k, _ := tx.Cursor().First(); k == nil {
			empty = true
			return nil
		}
		return s.check(tx)
	})
	if err == nil && empty {
		err = s.db.Update(s.make)
	}
	if err != nil {
		return err
	}
	s.lanes, err = s.load()
	return err
}

func (s *Store) make(tx *bolt.Tx) error {
	mark, err := state.NewMark(s.sealer)
	if err != nil {
		return err
	}
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return fmt.Errorf("the data file %s could not be set up: %w", s.path, err)
		}
	}
	meta := tx.Bucket(bMeta)
	return errors.Join(meta.Put(kSchema, []byte(strconv.Itoa(state.Schema))), meta.Put(kMark, mark))
}

func (s *Store) check(tx *bolt.Tx) error {
	meta := tx.Bucket(bMeta)
	if meta == nil || meta.Get(kSchema) == nil {
		return fmt.Errorf("the file %s belongs to another program: name another data file", s.path)
	}
	version, err := strconv.Atoi(string(meta.Get(kSchema)))
	if err != nil || version < 1 {
		return fmt.Errorf("the data file %s does not say how it is written: go back to a backup", s.path)
	}
	if version > state.Schema {
		return fmt.Errorf("%s: %w (its form is %d, this one knows %d)", s.path, state.ErrNewer, version, state.Schema)
	}
	if err := state.CheckMark(s.sealer, meta.Get(kMark)); err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	for _, name := range buckets {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("the data file %s is damaged: it has no %s: go back to a backup", s.path, name)
		}
	}
	return tx.Bucket(bHeads).ForEach(func(k, _ []byte) error {
		head, err := readHead(tx, bot.TenantID(k))
		if err != nil {
			return err
		}
		return s.auditor.Signed(head)
	})
}

// load reads the lane index. Whether the head of a lane was being run when the
// last process ended nobody knows, so a due one counts as begun.
func (s *Store) load() (*lanes, error) {
	l := newLanes()
	now := s.now()
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bLanes).ForEach(func(k, mark []byte) error {
			e, err := readLaneMark(k, mark)
			if err != nil {
				return err
			}
			_, known := l.byName[e.lane]
			e.begun = !known && !e.dead && !e.due.After(now)
			l.put(e, false)
			return nil
		})
	})
	return l, err
}

// Close ends the writer after the group under way, waits for readings, and
// lets go of the file. Commits that wait get an error that is
// [bot.ErrNoCommit]. Closing twice does nothing more.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.stop)
		<-s.stopped
		s.file.Lock()
		defer s.file.Unlock()
		s.closing = s.db.Close()
		s.db = nil
	})
	return s.closing
}

// Hold keeps a file from every other process until the returned function is
// called, whatever is in it: to put another in its place. It refuses a file that
// a process uses; one that is not there, or that is too damaged to be opened, is
// nobody's, and there is nothing to hold.
func Hold(path string) (release func() error, err error) {
	nothing := func() error { return nil }
	if info, err := os.Stat(path); err != nil || info.Size() == 0 || inspect(path) != nil {
		return nothing, nil
	}
	defer faults(path, &err)()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 100 * time.Millisecond, FreelistType: bolt.FreelistMapType, NoStatistics: true})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use by a running Keyturn: stop it first: %w", path, err)
	case err != nil:
		return nothing, nil
	}
	return db.Close, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// syncDir makes a new file's name durable. Windows has no such thing.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("the folder %s cannot be read: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}
