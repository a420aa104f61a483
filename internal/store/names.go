package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxName is the length of a name's column, characters.
const maxName = 255

// Names are what people call the two numbers of a module.
type Names struct {
	Mods, Cmds map[int32]string
}

// nameTable is one of the two tables of names: ModIDConfig or CmdIDConfig.
type nameTable struct{ table, column string }

var (
	modNames = nameTable{"ModIDConfig", "modid"}
	cmdNames = nameTable{"CmdIDConfig", "cmdid"}
)

// Names returns all names. Of several rows with one number the last counts.
func (s *Store) Names(ctx context.Context) (Names, error) {
	mods, err := s.names(ctx, modNames)
	if err != nil {
		return Names{}, err
	}
	cmds, err := s.names(ctx, cmdNames)
	if err != nil {
		return Names{}, err
	}
	return Names{mods, cmds}, nil
}

// SetModName names the business modid, in place of any name it had.
func (s *Store) SetModName(ctx context.Context, modid int32, name string) error {
	return s.setName(ctx, modNames, modid, name)
}

// SetCmdName names the function cmdid, in place of any name it had.
func (s *Store) SetCmdName(ctx context.Context, cmdid int32, name string) error {
	return s.setName(ctx, cmdNames, cmdid, name)
}

// DeleteModName removes the name of modid and reports whether it had one.
func (s *Store) DeleteModName(ctx context.Context, modid int32) (bool, error) {
	return s.deleteName(ctx, modNames, modid)
}

// DeleteCmdName removes the name of cmdid and reports whether it had one.
func (s *Store) DeleteCmdName(ctx context.Context, cmdid int32) (bool, error) {
	return s.deleteName(ctx, cmdNames, cmdid)
}

func (s *Store) names(ctx context.Context, t nameTable) (map[int32]string, error) {
	names := make(map[int32]string)
	err := s.retry(ctx, func() error {
		clear(names)
		rows, err := s.db.QueryContext(ctx, "SELECT "+t.column+", content FROM "+t.table+" ORDER BY id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var name string
			if err := rows.Scan(&id, &name); err != nil {
				return err
			}
			names[int32(id)] = name
		}
		return rows.Err()
	})
	if err != nil {
		return nil, s.failed("read "+t.table, err)
	}
	return names, nil
}

func (s *Store) setName(ctx context.Context, t nameTable, id int32, name string) error {
	op := fmt.Sprintf("name %s %d", t.column, id)
	// MySQL drops the blanks at the end of a char column when it is read.
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > maxName || !utf8.ValidString(name) {
		return s.failed(op, fmt.Errorf("a name is 1 to %d characters of UTF-8, this one has %d", maxName, n))
	}
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := t.delete(ctx, tx, id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO "+t.table+" ("+t.column+", content) VALUES (?, ?)", uint32(id), name)
		return err
	})
	if err != nil {
		return s.failed(op, err)
	}
	return nil
}

func (s *Store) deleteName(ctx context.Context, t nameTable, id int32) (found bool, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		found, err = t.delete(ctx, tx, id)
		return err
	})
	if err != nil {
		return false, s.failed(fmt.Sprintf("delete the name of %s %d", t.column, id), err)
	}
	return found, nil
}

func (t nameTable) delete(ctx context.Context, tx *sql.Tx, id int32) (found bool, err error) {
	res, err := tx.ExecContext(ctx, "DELETE FROM "+t.table+" WHERE "+t.column+" = ?", uint32(id))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
