// Package route names what Lars routes: modules, and the hosts that serve
// them. Both are small comparable values without pointers, fit for map keys
// and for tables of millions.
package route
