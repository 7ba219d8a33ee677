/** The promised columns of each table, as docs/models.md lists them. */
export const PROMISED: Readonly<Record<string, string>> = {
  stg_amplitude__events:
    "landed_hour landed_line load_id event_uuid insert_id event_id event_type event_time client_event_time client_upload_time server_received_time server_upload_time session_id amplitude_id user_id device_id project platform os_name os_version device_family device_type device_carrier language library app_version country region city dma ip_address latitude longitude event_properties user_properties groups",
  stg_amplitude__malformed: "landed_hour landed_line line",
  fct_events:
    "landed_hour landed_line load_id event_uuid insert_id event_id event_type event_time client_event_time client_upload_time server_received_time server_upload_time session_id amplitude_id user_id device_id project platform os_name os_version device_family device_type device_carrier language library app_version country region city dma ip_address latitude longitude event_properties user_properties groups is_duplicate is_future session_key location_key device_key site page",
  fct_page_views:
    "session_key viewed_at site page title page_view_id nth step seconds_to_next referring_domain is_redirect",
  fct_clicks:
    "session_key clicked_at site page page_view_id element label tag href menu is_menu_opener is_repeatable is_text_field burst source",
  fct_sessions:
    "session_key device_id session_id amplitude_id user_id started_at ended_at seconds events page_views clicks site entry_page exit_page is_bounce has_click referring_domain utm_source utm_medium utm_campaign location_key device_key ip_address first_landed_hour last_landed_hour",
  journeys: "site journey steps is_cut sessions share",
  transitions: "site from_page to_page transitions sessions share",
  company_visits:
    "company kind evidence sessions visitors page_views first_seen last_seen top_page",
  repeated_clicks:
    "site page element label device_type is_repeatable clicks sessions bursts rage_bursts_3 rage_bursts_4 rage_sessions rage_share longest_burst sdk_rage_clicks sdk_dead_clicks",
  menu_evidence:
    "site menu item clicks sessions second_guesses returns searches abandonments evidence share share_low share_high other_items_share same_item_elsewhere_share is_enough is_above other_items_evidence other_items_sessions same_item_elsewhere_evidence same_item_elsewhere_sessions",
  coverage: "hour state seen_at events modelled duplicates malformed future late redacted",
  events_by_day: "day event_type events sessions",
  captured: "event_type first_hour last_hour events sessions",
  event_properties_seen: "owner event_type path type first_hour last_hour events",
  dim_locations: "country region city dma latitude longitude",
  dim_devices:
    "platform os_name os_version device_family device_type device_carrier language app_version",
  dim_pages: "site page title views entries exits bounces",
  dim_ip_ranges: "first_ip last_ip asn company kind"
}
