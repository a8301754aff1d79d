package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"keyturn/bot"
)

// The buckets. A key of several parts joins them with a zero byte, which no
// part may contain; numbers and times are big-endian, so keys sort as they do.
var (
	bMeta          = []byte("meta")
	bDeliveries    = []byte("deliveries")            // key -> answer
	bDeliveriesAt  = []byte("deliveries.at")         // time, key
	bRuns          = []byte("runs")                  // tenant, ID -> run
	bRunOwner      = []byte("runs.tenant")           // ID -> tenant; outlives the run, its objects need it
	bRunsEnded     = []byte("runs.ended")            // time, ID
	bObjects       = []byte("objects")               // tenant, key -> object
	bActive        = []byte("incidents.active")      // tenant, ID -> incident
	bResolved      = []byte("incidents.resolved")    // tenant, ID -> incident
	bResolvedAt    = []byte("incidents.resolved.at") // time, tenant, ID
	bSubscriptions = []byte("subscriptions")         // tenant, ID -> subscription
	bWatches       = []byte("watches")               // tenant -> watch
	bBindings      = []byte("bindings")              // platform, team, channel, user -> tenant
	bSent          = []byte("sent")                  // key -> ledger entry
	bSecrets       = []byte("secrets")               // name -> sealed value
	bRecords       = []byte("records")               // kind, tenant, key -> record
	bRecordsUntil  = []byte("records.until")         // time, kind, tenant, key
	bJobs          = []byte("jobs")                  // ID -> job
	bLanes         = []byte("jobs.lanes")            // lane, ID -> what claiming needs to know
	bCollapse      = []byte("jobs.collapse")         // name, ID
	bAudit         = []byte("audit")                 // tenant, number -> entry
	bHeads         = []byte("audit.heads")           // tenant -> head

	buckets = [][]byte{bMeta, bDeliveries, bDeliveriesAt, bRuns, bRunOwner, bRunsEnded, bObjects,
		bActive, bResolved, bResolvedAt, bSubscriptions, bWatches, bBindings, bSent, bSecrets, bRecords, bRecordsUntil,
		bJobs, bLanes, bCollapse, bAudit, bHeads}
)

// Keys of the meta bucket.
var (
	kSchema = []byte("schema")
	kMark   = []byte("mark")
)

// here is the value of an index entry, which says all in its key. It is not
// empty, because bbolt takes an empty value for a bucket in places.
var here = []byte{1}

func join(parts ...string) []byte {
	var b bytes.Buffer
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(0)
		}
		b.WriteString(p)
	}
	return b.Bytes()
}

func tenantKey(t bot.TenantID, id string) []byte { return join(string(t), id) }

func recordKey(kind string, t bot.TenantID, key string) []byte { return join(kind, string(t), key) }

func placeKey(p bot.Place) []byte {
	return join(string(p.Platform), p.Team, p.Channel, p.User)
}

func jobKey(id bot.JobID) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

func jobID(key []byte) bot.JobID { return bot.JobID(binary.BigEndian.Uint64(key)) }

// numbered is a name followed by a number, such as a lane's job.
func numbered(name string, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(name), 0), n)
}

// splitNumbered undoes numbered.
func splitNumbered(key []byte) (name string, n uint64, err error) {
	i := len(key) - 9
	if i < 0 || key[i] != 0 {
		return "", 0, fmt.Errorf("the index key %q is damaged", key)
	}
	return string(key[:i]), binary.BigEndian.Uint64(key[i+1:]), nil
}

// timed is a time, to the second, followed by a name.
func timed(t time.Time, name []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(t.Unix())^(1<<63)), name...)
}

func splitTimed(key []byte) (t time.Time, name []byte, err error) {
	if len(key) < 8 {
		return time.Time{}, nil, fmt.Errorf("the time index key %q is damaged", key)
	}
	return time.Unix(int64(binary.BigEndian.Uint64(key)^(1<<63)), 0), key[8:], nil
}

// each calls f for the keys of a bucket that begin with prefix, in order.
func each(b *bolt.Bucket, prefix []byte, f func(k, v []byte) error) error {
	c := b.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if err := f(k, v); err != nil {
			return err
		}
	}
	return nil
}
