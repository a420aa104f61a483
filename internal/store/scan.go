package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// rowFields is how many numbers the text of a row of RouteData has.
const rowFields = 6

// scanRoutes is readRows for the whole table, which may have millions of rows:
// the database makes one text of each, and the driver hands out its own buffer.
// Through database/sql, number by number, a row costs three times as much.
func (s *Store) scanRoutes(ctx context.Context, conn *sql.Conn, fn func(RouteRow) error) error {
	weight, err := s.weightExpression(ctx, conn)
	if err != nil {
		return err
	}
	query := "SELECT " + s.dialect.joined("id", "modid", "cmdid", "serverip", "serverport", weight) + " FROM RouteData ORDER BY id"
	return conn.Raw(func(raw any) error {
		rows, err := raw.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			s.weights.Store(false) // the table may be another one by now
			return err
		}
		// Ending early reads what is still to come, or gives up the connection.
		return errors.Join(scanTexts(ctx, rows, fn), rows.Close())
	})
}

func scanTexts(ctx context.Context, rows driver.Rows, fn func(RouteRow) error) error {
	cell := make([]driver.Value, 1)
	for {
		switch err := rows.Next(cell); {
		case err == io.EOF:
			return ctx.Err()
		case err != nil:
			return err
		}
		// Rows that have arrived would otherwise be handed out for a while
		// after ctx is done.
		if err := ctx.Err(); err != nil {
			return err
		}
		var r RouteRow
		var ok bool
		switch text := cell[0].(type) {
		case []byte: // valid until the next row
			r, ok = parseRow(text)
		case string:
			r, ok = parseRow(text)
		}
		if !ok {
			return fmt.Errorf("a row of RouteData reads %q, want %d numbers", cell[0], rowFields)
		}
		if err := fn(r); err != nil {
			return err
		}
	}
}

// parseRow reads the numbers of a row, with a space between.
func parseRow[T []byte | string](text T) (r RouteRow, ok bool) {
	var fields [rowFields]int64
	n, digits, negative := 0, 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			fields[n] = fields[n]*10 + int64(c-'0')
			digits++
		case c == '-' && digits == 0 && !negative:
			negative = true
		case c == ' ' && digits > 0 && n < rowFields-1:
			if negative {
				fields[n] = -fields[n]
			}
			n, digits, negative = n+1, 0, false
		default:
			return RouteRow{}, false
		}
	}
	if negative {
		fields[n] = -fields[n]
	}
	r = RouteRow{ID: fields[0], Module: moduleFrom(fields[1], fields[2]), IP: fields[3], Port: fields[4], Weight: fields[5]}
	return r, n == rowFields-1 && digits > 0
}
