// Package keyturn is the root of the Keyturn module. It holds no code: the
// program is cmd/keyturn, the domain is bot, and ARCHITECTURE.md is the map.
//
// Its tests guard the house: who may import whom and why, and how the tree is
// kept.
package keyturn
