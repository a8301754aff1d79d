//go:build !unix

package main

import "net"

// privately listens on a socket, whose mode is set afterwards where it has one.
func privately(path string) (net.Listener, error) { return net.Listen("unix", path) }

// handOver has nothing to do where files belong to nobody in particular.
func handOver(string) error { return nil }
