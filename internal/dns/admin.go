package dns

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// acceptWithin is how long an answer to POST /accept waits for the hosts to go.
// The database may be slow with an answer that is under way; they go after it.
const acceptWithin = 800 * time.Millisecond

// Accepted is the answer to POST /accept.
type Accepted struct {
	Removed int  `json:"removed"` // hosts that go
	Of      int  `json:"of"`      // that were served
	Applied bool `json:"applied"` // they have gone; else they go soon
}

// Route adds what operators can ask of lars-dns to mux: POST /accept does what
// Accept does. It is answered 409, with an "error", if nothing is held back.
func (s *Server) Route(mux *http.ServeMux) {
	mux.HandleFunc("POST /accept", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), acceptWithin)
		defer cancel()
		w.Header().Set("Content-Type", "application/json")
		h, err := s.Accept(ctx)
		if err == ErrNothingHeld {
			w.WriteHeader(http.StatusConflict)
			_ = json.NewEncoder(w).Encode(struct {
				Error string `json:"error"`
			}{err.Error()})
			return
		}
		s.log.Info("an operator accepts that routes are removed", "removed", h.Removed, "of", h.Of, "peer", r.RemoteAddr)
		// Nobody can be told of an error of the connection.
		_ = json.NewEncoder(w).Encode(Accepted{Removed: h.Removed, Of: h.Of, Applied: err == nil})
	})
}
