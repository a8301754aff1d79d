//go:build !unix

package main

// handOver has nothing to do where files belong to nobody in particular.
func handOver(string) error { return nil }
