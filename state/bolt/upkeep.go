package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"keyturn/bot"
	"keyturn/bot/engine"
	"keyturn/state"
)

// chore runs f in the writer, between two commit groups.
func (s *Store) chore(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	select {
	case s.chores <- func() { done <- s.guarded(f) }:
		return <-done
	case <-s.stop:
		return state.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// guarded keeps a panic over a damaged file from ending the writer.
func (s *Store) guarded(f func() error) (err error) {
	defer faults(s.path, &err)()
	return f()
}

// Backup writes a whole copy of the file as of the last commit, while commits
// go on. The copy holds secrets only as sealed as the file does; without the
// sealing key, which is not in it, it does not open.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	err := s.reading(func(tx *bolt.Tx) error {
		p := &pipe{ctx: ctx, stop: s.stop, w: w}
		_, err := tx.WriteTo(p)
		if p.err != nil {
			return p.err // bbolt keeps its words alone
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("the backup is not complete: throw it away: %w", err)
	}
	return nil
}

// pipe ends a copy when nobody wants it any more.
type pipe struct {
	ctx  context.Context
	stop <-chan struct{}
	w    io.Writer
	err  error
}

func (p *pipe) Write(b []byte) (n int, err error) {
	select {
	case <-p.ctx.Done():
		err = p.ctx.Err()
	case <-p.stop:
		err = state.ErrClosed
	default:
		n, err = p.w.Write(b)
	}
	p.err = err
	return n, err
}

// spare is where a compacted file grows before it takes the place of the old.
func (s *Store) spare() string { return s.path + ".compact" }

// Compact rewrites the file without the space that removed records left, and
// gives its size before and after. Commits wait until it is done; readings do
// not. It needs as much room beside the file as the file's records take. When
// it fails the old file is as it was.
func (s *Store) Compact(ctx context.Context) (before, after int64, err error) {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	err = s.chore(ctx, func() error {
		before = size(s.path)
		if err := s.compact(); err != nil {
			return fmt.Errorf("the data file %s could not be compacted and stays as it was: %w", s.path, err)
		}
		after = size(s.path)
		return nil
	})
	return before, after, err
}

// Rewrite is [Store.Compact] for what removed records held: the pages that they
// stood on are not in the new file.
func (s *Store) Rewrite(ctx context.Context) error {
	_, _, err := s.Compact(ctx)
	return err
}

func (s *Store) compact() error {
	if err := os.Remove(s.spare()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dst, err := s.lock(s.spare())
	if err != nil {
		return err
	}
	if err := s.fill(dst); err != nil {
		return errors.Join(err, dst.Close(), os.Remove(s.spare()))
	}
	// The new file is locked under both its names, so no other process can
	// come in between.
	s.file.Lock()
	old := s.db
	s.db = dst
	s.file.Unlock()
	return old.Close()
}

// fill copies the records and gives the copy the file's name, durably.
func (s *Store) fill(dst *bolt.DB) error {
	dst.NoSync = true
	if err := bolt.Compact(dst, s.db, 4<<20); err != nil {
		return err
	}
	dst.NoSync = s.options.NoSync
	if err := dst.Sync(); err != nil {
		return err
	}
	if err := os.Rename(s.spare(), s.path); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(s.path)); err != nil {
		// The new file has the name; which of both a power cut would leave is
		// open, and both hold the same.
		s.log.Warn("the folder of the data file could not be flushed", "error", err)
	}
	return nil
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Stale reports whether an older key of the keyset than the newest sealed what
// is in the file.
func (s *Store) Stale() (stale bool, err error) {
	fresh, err := state.NewMark(s.sealer)
	if err != nil {
		return false, err
	}
	newest, err := state.SealedWith(fresh)
	if err != nil {
		return false, err
	}
	err = s.reading(func(tx *bolt.Tx) error {
		have, err := state.SealedWith(tx.Bucket(bMeta).Get(kMark))
		stale = have != newest
		return err
	})
	return stale, err
}

// Reseal seals everything anew with the newest key of the keyset, after which
// the older keys open nothing here any more; backups and the signatures of
// the audit trail still need them. It gives how many values it sealed.
func (s *Store) Reseal(ctx context.Context) (n int, err error) {
	err = s.chore(ctx, func() error {
		tx, err := s.db.Begin(true)
		if err != nil {
			return fmt.Errorf("%w: %w", bot.ErrNoCommit, err)
		}
		defer tx.Rollback()
		if n, err = s.reseal(tx); err != nil {
			return err
		}
		if err := s.commit(tx); err != nil {
			return fmt.Errorf("%w (%w)", bot.ErrNoCommit, err)
		}
		return nil
	})
	return n, err
}

func (s *Store) reseal(tx *bolt.Tx) (n int, err error) {
	fresh := make([]write, 0, 16)
	add := func(bucket, k, v []byte, err error) error {
		fresh = append(fresh, write{bucket, append([]byte(nil), k...), v})
		return err
	}
	err = tx.Bucket(bSecrets).ForEach(func(k, v []byte) error {
		value, err := state.DecodeSecret(s.sealer, string(k), v)
		if err != nil {
			return err
		}
		sealed, err := state.EncodeSecret(s.sealer, engine.Sealed{Name: string(k), Value: value})
		return add(bSecrets, k, sealed, err)
	})
	if err != nil {
		return 0, err
	}
	err = tx.Bucket(bJobs).ForEach(func(k, v []byte) error {
		j, err := state.DecodeJob(s.sealer, jobID(k), v)
		if err != nil {
			return err
		}
		sealed, err := state.EncodeJob(s.sealer, j)
		return add(bJobs, k, sealed, err)
	})
	if err != nil {
		return 0, err
	}
	mark, err := state.NewMark(s.sealer)
	if err != nil {
		return 0, err
	}
	for _, w := range append(fresh, write{bMeta, kMark, mark}) {
		if err := s.put(tx.Bucket(w.bucket), w.key, w.value); err != nil {
			return 0, err
		}
	}
	return len(fresh), nil
}
