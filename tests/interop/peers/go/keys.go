package main

import (
	"crypto/rand"
	"fmt"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
)

// identity makes a key of a kind: ed25519, secp256k1, ecdsa, rsa or rsa-8192.
func identity(kind string) (libp2p.Option, error) {
	kinds := map[string]struct{ number, bits int }{
		"ed25519":   {crypto.Ed25519, 0},
		"secp256k1": {crypto.Secp256k1, 0},
		"ecdsa":     {crypto.ECDSA, 0},
		"rsa":       {crypto.RSA, 2048},
		"rsa-8192":  {crypto.RSA, 8192},
	}
	k, known := kinds[kind]
	if !known {
		return nil, fmt.Errorf("no kind of key is called %q", kind)
	}
	key, _, err := crypto.GenerateKeyPairWithReader(k.number, k.bits,
		rand.Reader)
	if err != nil {
		return nil, err
	}
	return libp2p.Identity(key), nil
}
