package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// Config says which database to open and with what.
type Config struct {
	URL     bot.Secret     // postgres://user:password@host:port/database?options
	Schema  string         // where empty the search_path of the URL's options, or keyturn; it is made where there is none
	Sealer  state.Sealer   // of the keyset that the data was made with
	Auditor *state.Auditor // of the same keyset

	Now  func() time.Time // time.Now where nil
	Log  *slog.Logger     // for what the operator must know; discarded where nil
	Keep state.Keep       // how long what is finished stays

	// Term is how long the claims of a replica outlive its last sign of life;
	// [Term] where zero. All replicas have the same.
	Term time.Duration
	// Aside opens a schema that is there already for a command beside the
	// replicas: it sets nothing up, clears nothing away, and counts for nobody as
	// a replica.
	Aside bool
	// Connections is the most that are open at a time, besides one that
	// listens; 8 where zero.
	Connections int

	tracer pgx.QueryTracer // counts for tests
}

// Term is the default of [Config]. Term and a beat together are less than 15
// seconds: so long at most is a job of a dead replica left alone.
const Term = 12 * time.Second

// beats is how many times a term a replica prolongs its claims.
const beats = 5

// Store is an [engine.Store] in one schema of a PostgreSQL database.
type Store struct {
	pool    *pgxpool.Pool
	schema  string
	id      string // of this replica
	key     uint32 // the ID of the key that it seals with
	number  int64  // of the advisory lock
	sealer  state.Sealer
	auditor *state.Auditor
	now     func() time.Time
	log     *slog.Logger
	keep    state.Keep
	term    time.Duration

	queue    chan *member
	wake     chan struct{}
	held     held // the claims to prolong
	replicas atomic.Int64
	heard    atomic.Int64 // when the server last heard of this replica, in nanoseconds
	stop     chan struct{}
	once     sync.Once
	cancel   context.CancelFunc
	errands  sync.WaitGroup
}

var _ engine.Store = (*Store)(nil)

// named is what a schema may be called: plain enough to be typed without quotes.
var named = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,47}$`)

// Open connects to the database and sets the schema up where it is new. It
// refuses data that a newer Keyturn wrote or that was sealed with another key.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Sealer == nil || c.Auditor == nil {
		return nil, errors.New("the database cannot be opened without its sealing key")
	}
	s := &Store{
		schema: c.Schema, id: rand.Text(), sealer: c.Sealer, auditor: c.Auditor, now: c.Now, log: c.Log, keep: c.Keep.WithDefaults(), term: c.Term,
		queue: make(chan *member), wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	config, err := s.config(c)
	if err != nil {
		return nil, err
	}
	if !named.MatchString(s.schema) {
		return nil, fmt.Errorf("%q cannot be the name of a schema: use up to 48 small letters, digits and underscores, a letter first", s.schema)
	}
	h := fnv.New64a() // the lock has a number
	h.Write([]byte("keyturn " + s.schema))
	s.number = int64(h.Sum64())
	if s.key, err = s.newest(); err != nil {
		return nil, err
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("the database cannot be opened: %w", err)
	}
	prepare := s.join
	if c.Aside {
		prepare = s.look
	}
	if err := prepare(ctx); err != nil {
		s.pool.Close()
		return nil, fmt.Errorf("the schema %s of the database %s cannot be opened: %w", s.schema, config.ConnConfig.Database, err)
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.errands.Go(func() { s.write(ctx) })
	if c.Aside {
		return s, nil
	}
	if err := s.alive(ctx); err != nil { // how many there are, from the beginning
		s.log.Warn("the replicas cannot be counted", "error", err)
	}
	s.errands.Go(func() { s.beat(ctx) })
	s.errands.Go(func() { s.listen(ctx, config.ConnConfig) })
	return s, nil
}

func (s *Store) defaults() {
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.term == 0 {
		s.term = Term
	}
}

// Valid gives an error where an address cannot be one of a database.
func Valid(url bot.Secret) error {
	_, err := parse(url)
	return err
}

// parse reads an address. Its error does not repeat the address, which may hold
// a password.
func parse(url bot.Secret) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url.Reveal())
	if err != nil || !strings.HasPrefix(url.Reveal(), "postgres://") && !strings.HasPrefix(url.Reveal(), "postgresql://") {
		return nil, errors.New("the address of the database cannot be read: write it as postgres://user:password@host:5432/database")
	}
	return config, nil
}

// config makes the pool's configuration, and settles what was left open.
func (s *Store) config(c Config) (*pgxpool.Config, error) {
	config, err := parse(c.URL)
	if err != nil {
		return nil, err
	}
	s.defaults()
	config.MaxConns = 8
	if c.Connections > 0 {
		config.MaxConns = int32(c.Connections)
	}
	config.ConnConfig.Tracer = c.tracer
	config.ConnConfig.ConnectTimeout = 10 * time.Second
	params := config.ConnConfig.RuntimeParams
	if s.schema == "" {
		s.schema = params["search_path"]
	}
	if s.schema == "" {
		s.schema = "keyturn"
	}
	params["application_name"] = "keyturn"
	params["search_path"] = s.schema
	// Whatever the server's default: what was confirmed is on its disk.
	params["synchronous_commit"] = "on"
	// And what follows the lock sees what was committed while it was waited for.
	params["default_transaction_isolation"] = "read committed"
	params["idle_in_transaction_session_timeout"] = strconv.FormatInt((s.term / 3).Milliseconds(), 10)
	return config, nil
}

func (s *Store) quoted() string { return pgx.Identifier{s.schema}.Sanitize() }

// Close ends what the store does by itself, waits for commits and readings
// under way, and disconnects. Claims are left to run out. Closing twice does
// nothing more.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.stop)
		s.cancel()
		s.errands.Wait()
		s.leave()
		s.pool.Close()
	})
	return nil
}

func (s *Store) closed() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}
