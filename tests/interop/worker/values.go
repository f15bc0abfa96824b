package main

// Person is a value with structure: nested, with a list and with something that may be absent.
type Person struct {
	Name    string   `json:"name"`
	Age     int      `json:"age"`
	Tags    []string `json:"tags"`
	Manager *Person  `json:"manager"`
}

// Values is one value of each kind that crosses the border between the languages.
type Values struct {
	Note   *string        `json:"note"`
	Bytes  []byte         `json:"bytes"`
	Int    int64          `json:"int"`
	Float  float64        `json:"float"`
	Text   string         `json:"text"`
	List   []string       `json:"list"`
	Map    map[string]any `json:"map"`
	Person Person         `json:"person"`
}
