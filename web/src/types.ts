// What the server sends, as contract.md sections 2 and 3 have it. Fields that this client does not read are left out.
export type Id = string;

export interface Reaction { emoji: string; count: number; users: Id[] }
export interface Message {
  id: Id; room: Id; seq: number; author: Id; text: string; client_id?: string; reply_to?: number;
  reactions: Reaction[]; mentions: Id[]; mentions_room?: boolean; created_at: string; edited_at?: string; deleted?: boolean;
}
export interface Peer { id: Id; username: string; display_name: string }
export interface Room {
  id: Id; kind: 'public' | 'private' | 'direct'; name?: string; topic?: string; peer?: Peer; archived?: boolean; my_role?: Role;
  last_seq: number; member_count?: number; read_seq: number; unread: number; mentions: number;
}
export type Role = 'owner' | 'moderator' | 'member';
export interface Member { user_id: Id; username: string; display_name: string; role: Role; joined_at: string }
export type Presence = 'online' | 'away' | 'offline';
export interface Person {
  id: Id; username: string; display_name: string; bio?: string; presence?: Presence; last_seen?: string; status_text?: string;
  locale?: string; time_zone?: string; show_presence?: boolean; show_receipts?: boolean;
}
export interface Notification { id: Id; kind: 'mention' | 'direct' | 'message' | 'system'; room?: Id; seq?: number; from?: Id; created_at: string; read: boolean }
export interface Frame { ev: string; room?: Id; seq?: number; by?: Id; at: string; data: any }
export interface Hello {
  session: Id; user: {id: Id; username: string}; epoch: string; cursor: string; rooms: Room[]; more?: boolean; gone?: Id[]; heartbeat: number;
}
export interface Problem { code: string; detail: string; retry: boolean; status?: number; retry_after?: number; errors?: {pointer: string; detail: string}[] }
