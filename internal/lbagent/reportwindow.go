package lbagent

import "slices"

const (
	// windowResults bounds the frames that lars-reporter has not acknowledged,
	// by the hosts in them: while there are as many, counts stay in the
	// RouteLBs, where they add up. Those of one more module may come on top,
	// which is how far one may have to go. It is what a lars-reporter that
	// commits every 20 ms acknowledges at 200,000 a second.
	windowResults = 4096
)

// reportFrame is a report as it travels: the same bytes each time.
type reportFrame struct {
	seq     uint64
	caller  int32 // our address when it was made; another connection may have another
	body    []byte
	results int    // hosts
	calls   uint64 // that it counts
	end     uint64 // its end in all that the client ever wrote, bytes; set when it is sent
}

// reportWindow holds the frames that were made and not acknowledged, in the
// order of their numbers. Those before next were sent on the connection there
// is; after another came up all are sent again. The zero value is empty.
type reportWindow struct {
	frames  []reportFrame
	next    int
	seq     uint64 // of the last frame
	results int
	again   uint64 // frames that were sent before, on another connection
	resent  uint64
}

// room reports whether counts may be taken for another frame.
func (w *reportWindow) room() bool { return w.results < windowResults }

// add appends a frame, which body is given the number of.
func (w *reportWindow) add(f reportFrame) {
	w.frames = append(w.frames, f)
	w.results += f.results
}

// number is that of the next frame.
func (w *reportWindow) number() uint64 {
	w.seq++
	return w.seq
}

// unsent is the next frame to send, nil if there is none.
func (w *reportWindow) unsent() *reportFrame {
	if w.next == len(w.frames) {
		return nil
	}
	return &w.frames[w.next]
}

// sent notes that the next frame was queued and ends at end.
func (w *reportWindow) sent(end uint64) {
	f := &w.frames[w.next]
	f.end = end
	w.next++
	if f.seq <= w.again {
		w.resent++
	}
}

// restart has all frames sent again, on another connection.
func (w *reportWindow) restart() {
	if w.next > 0 {
		w.again = max(w.again, w.frames[w.next-1].seq)
	}
	w.next = 0
}

// acknowledged forgets the frames of caller up to seq, and reports whether there
// were any. Those of another caller are counted by themselves. One that was not
// sent cannot have been counted, so what is beyond the sent ones is passed over.
func (w *reportWindow) acknowledged(caller int32, seq uint64) bool {
	return w.drop(func(f *reportFrame) bool { return f.caller == caller && f.seq <= seq })
}

// taken forgets the frames that the kernel has taken, which is all that can be
// known where nobody acknowledges.
func (w *reportWindow) taken(written uint64) {
	w.drop(func(f *reportFrame) bool { return f.end <= written })
}

// drop forgets those of the sent frames that are done, and reports whether there
// were any.
func (w *reportWindow) drop(done func(*reportFrame) bool) bool {
	kept := 0
	for i := range w.next {
		f := &w.frames[i]
		if done(f) {
			w.results -= f.results
			continue
		}
		w.frames[kept] = *f
		kept++
	}
	dropped := w.next - kept
	w.frames = slices.Delete(w.frames, kept, w.next)
	w.next = kept
	return dropped > 0
}

// calls is the number of calls that the frames count.
func (w *reportWindow) calls() (sum uint64) {
	for i := range w.frames {
		sum += w.frames[i].calls
	}
	return sum
}
