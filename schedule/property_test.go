package schedule

import (
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestRandomSequences plays random events on the list and on the reference; see
// game, notes and play for what must hold. A failure is printed as small as it
// can be made.
func TestRandomSequences(t *testing.T) {
	const sequences, shards = 100_000, 4
	for shard := range uint64(shards) {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(5, shard))
			for i := range sequences / shards {
				events := random.IntN(50)
				if i%100 == 0 { // a few long ones
					events *= 10
				}
				s := make(script, record*(1+events))
				for i := range s {
					s[i] = byte(random.Uint32())
				}
				if err := play(s, nil); err != nil {
					t.Fatalf("sequence %d: %v\n%v", i, err, s.shrunk())
				}
			}
		})
	}
}

var replay = flag.String("replay", "", "a script that failed, in hexadecimal")

// TestReplay repeats a sequence that another run has printed, or a short one.
func TestReplay(t *testing.T) {
	s := script{3, 20, 9, 2}
	for range 30 {
		s = append(s, 0, 1, 5, 1, 10, 0, 0, 0, 7, 3, 0, 0, 14, 0, 0, 0)
	}
	if *replay != "" {
		var err error
		if s, err = hex.DecodeString(*replay); err != nil {
			t.Fatal(err)
		}
		t.Log(s)
	}
	if err := play(s, nil); err != nil {
		t.Error(err)
	}
}

func FuzzSequence(f *testing.F) {
	f.Add([]byte{3, 20, 9, 2, 0, 1, 5, 1, 0, 2, 5, 1, 10, 15, 0, 0, 7, 40, 0, 0, 14, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > record*400 {
			return // time grows with the square
		}
		if err := play(b, nil); err != nil {
			t.Fatalf("%v\n%v", err, script(b).shrunk())
		}
	})
}
