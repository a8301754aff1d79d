// Package riverbench measures a step of a setup in Keyturn's stores beside the
// same work as a job of River, a queue on PostgreSQL that many know. It is a
// module of its own, so that River is no dependency of Keyturn.
//
// Each of the three does the same thing, one job at a time, and everything that
// it says is done is on the disk:
//
//	put     a run of a kilobyte and its job                    one commit
//	claim   whoever waits for jobs hears of it and takes it    one commit
//	result  the run is read, written anew with an entry of
//	        the audit trail, and the job is over               one commit
//
// What they do for that differs. River notifies through the server, fetches with
// FOR UPDATE SKIP LOCKED, and completes the job in the worker's transaction.
// Keyturn keeps jobs in lanes, of which only the head is given out, decides on the
// state under a lock that makes all commits follow each other, chains the entry to
// the one before it with an HMAC, and refuses a result under a claim that is over.
//
// Run it with make bench-river and KEYTURN_TEST_POSTGRES.
package riverbench
