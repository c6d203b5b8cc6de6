package main

import (
	"encoding/json"
	"errors"
	"time"
)

// chatMessage is the JSON of the Go program p2p-chat-go.
type chatMessage struct {
	Type      string `json:"type"`
	Content   string `json:"content"`
	Username  string `json:"username"`
	Timestamp int64  `json:"timestamp"`
	From      string `json:"from"`
}

func encode(kind, text, username, from string) ([]byte, error) {
	return json.Marshal(chatMessage{
		Type:      kind,
		Content:   text,
		Username:  username,
		Timestamp: time.Now().Unix(),
		From:      from,
	})
}

// decode holds that program's validator: what it refuses is rejected, which
// costs the sender score and goes no further.
func decode(data []byte) (chatMessage, error) {
	var m chatMessage
	if err := json.Unmarshal(data, &m); err != nil {
		return m, err
	}
	switch m.Type {
	case "message", "join", "leave":
	default:
		return m, errors.New("unknown type")
	}
	if m.Username == "" {
		return m, errors.New("empty username")
	}
	if m.Timestamp == 0 {
		return m, errors.New("no timestamp")
	}
	return m, nil
}

// show returns what that program prints for a message its validator accepted:
// of a join and a leave the content alone, behind three stars.
func show(m chatMessage) string {
	switch m.Type {
	case "join", "leave":
		return "*** " + m.Content
	}
	return m.Content
}
