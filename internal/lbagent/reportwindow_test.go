package lbagent

import (
	"math/rand/v2"
	"testing"
)

// TestReportWindow drives a window as connections that come and go would, and
// holds that every frame is sent in order until it is acknowledged.
func TestReportWindow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var w reportWindow
	made, counted, sent, written := uint64(0), uint64(0), uint64(0), uint64(0)
	for range 100_000 {
		switch random.IntN(6) {
		case 0, 1:
			if w.room() {
				made++
				w.add(reportFrame{seq: w.number(), caller: 7, results: 1 + random.IntN(1500), calls: 1})
			}
		case 2, 3:
			f := w.unsent()
			if (f != nil) != (sent < made) {
				t.Fatalf("a frame to send: %v, with %d of %d sent", f != nil, sent, made)
			}
			if f == nil {
				continue
			}
			if sent++; f.seq != sent {
				t.Fatalf("frame %d is sent, want %d", f.seq, sent)
			}
			written += 10
			w.sent(written)
		case 4:
			if random.IntN(10) > 0 {
				continue
			}
			w.restart()
			sent = counted
		case 5:
			if sent > counted {
				counted += 1 + random.Uint64N(sent-counted)
			}
			w.acknowledged(7, counted+random.Uint64N(2)*1000*(1-min(1, sent-counted))) // beyond what was sent: passed over
		}
		if n := uint64(len(w.frames)); n != made-counted || w.calls() != n {
			t.Fatalf("%d frames, want %d", n, made-counted)
		}
		results := 0
		for _, f := range w.frames {
			results += f.results
		}
		if results != w.results || results > windowResults+1500 {
			t.Fatalf("%d results, it notes %d", results, w.results)
		}
	}
	if made < 1000 || w.resent == 0 {
		t.Errorf("%d frames, %d sent again: too few to tell", made, w.resent)
	}
}

// Where nobody acknowledges, frames are kept until the kernel has taken them.
func TestReportWindowTaken(t *testing.T) {
	var w reportWindow
	for range 3 {
		w.add(reportFrame{seq: w.number(), results: 1})
	}
	w.sent(100)
	w.sent(200)
	w.taken(150)
	if len(w.frames) != 2 || w.frames[0].seq != 2 || w.unsent().seq != 3 {
		t.Errorf("left: %+v, next %+v", w.frames, w.unsent())
	}
	w.taken(1000) // the third was not sent
	if len(w.frames) != 1 || w.unsent().seq != 3 {
		t.Errorf("left: %+v", w.frames)
	}
}

// A frame keeps the caller that it was made with, although later connections
// are from another address. Each caller's frames are acknowledged by themselves.
func TestReportWindowOfTwoCallers(t *testing.T) {
	var w reportWindow
	for i := range 4 {
		w.add(reportFrame{seq: w.number(), caller: int32(i / 2), results: 1})
		w.sent(uint64(i))
	}
	if w.acknowledged(2, 4) || len(w.frames) != 4 {
		t.Errorf("left after an acknowledgement to somebody else: %+v", w.frames)
	}
	if !w.acknowledged(1, 4) || len(w.frames) != 2 || w.frames[1].seq != 2 || w.next != 2 || w.results != 2 {
		t.Errorf("left after that of the later ones: %+v", w)
	}
	if !w.acknowledged(0, 1) || len(w.frames) != 1 || w.frames[0].seq != 2 {
		t.Errorf("left after that of the first: %+v", w)
	}
}
