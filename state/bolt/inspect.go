package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
)

// The layout of bbolt's two meta pages, of which the valid one with the higher
// transaction counts. Numbers are in the machine's order.
const (
	pageHeader = 16
	metaSize   = 64
	metaMagic  = 0xED0CDAED
)

// inspect looks at a file before it is mapped: reading a mapped page that is
// not in the file would end the process.
func inspect(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the data file %s may not be read: give it and its folder to the user that runs Keyturn: %w", path, err)
	}
	if err != nil {
		return fmt.Errorf("the data file %s cannot be opened: %w", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("the data file %s cannot be opened: %w", path, err)
	}
	pageSize, need := extent(f, info.Size())
	if pageSize == 0 {
		return fmt.Errorf("the file %s is not a data file of Keyturn, or its beginning is damaged: name another file, or go back to a backup", path)
	}
	if info.Size() < need {
		return fmt.Errorf("the data file %s is cut off: it has %d bytes of at least %d: go back to a backup", path, info.Size(), need)
	}
	return nil
}

// extent reads the page size and how long the file must be, 0 where there is
// no valid meta page.
func extent(r io.ReaderAt, size int64) (pageSize, need int64) {
	var newest uint64
	try := func(at int64) {
		m, ok := readMeta(r, at)
		if !ok || pageSize != 0 && m.txid < newest {
			return
		}
		newest, pageSize = m.txid, int64(m.pageSize)
		need = int64(m.pages) * pageSize
	}
	try(0)
	if pageSize != 0 {
		try(pageSize)
		return pageSize, max(need, 2*pageSize)
	}
	for at := int64(1024); at < size && at <= 1<<24; at *= 2 {
		try(at)
	}
	return pageSize, max(need, 2*pageSize)
}

type metaPage struct {
	pageSize uint32
	pages    uint64
	txid     uint64
}

func readMeta(r io.ReaderAt, at int64) (metaPage, bool) {
	var b [pageHeader + metaSize]byte
	if _, err := r.ReadAt(b[:], at); err != nil {
		return metaPage{}, false
	}
	order := binary.NativeEndian
	m := b[pageHeader:]
	sum := fnv.New64a()
	sum.Write(m[:metaSize-8])
	if order.Uint32(m) != metaMagic || order.Uint64(m[metaSize-8:]) != sum.Sum64() {
		return metaPage{}, false
	}
	p := metaPage{pageSize: order.Uint32(m[8:]), pages: order.Uint64(m[40:]), txid: order.Uint64(m[48:])}
	return p, p.pageSize >= 512 && p.pages < 1<<40
}
