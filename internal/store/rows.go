package store

import (
	"context"
	"database/sql"
	"strconv"
)

// executor is a database or a transaction.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// insertRows inserts n rows, chunkRows with one statement, which ends with end.
// into is the table and its columns, and row appends the values of the i-th row.
//
// The values are numbers, of which text can be made without a thought of quotes:
// to hand them to a driver, one by one as arguments, would take most of the
// time that a report takes here.
func insertRows(ctx context.Context, to executor, into, end string, n int, row func(i int, values []int64) []int64) error {
	var text []byte
	var values []int64
	for from := 0; from < n; from += chunkRows {
		text = append(append(append(text[:0], "INSERT INTO "...), into...), " VALUES "...)
		for i := from; i < min(n, from+chunkRows); i++ {
			if i > from {
				text = append(text, ',')
			}
			values = row(i, values[:0])
			for j, v := range values {
				separator := byte(',')
				if j == 0 {
					separator = '('
				}
				text = strconv.AppendInt(append(text, separator), v, 10)
			}
			text = append(text, ')')
		}
		if _, err := to.ExecContext(ctx, string(append(text, end...))); err != nil {
			return err
		}
	}
	return nil
}
